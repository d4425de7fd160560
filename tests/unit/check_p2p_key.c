#include <secp256k1.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "sync/p2p/p2p_key.h"
#include "tests/unit/test.h"

static char dir[64], path[96];

static void setup(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/check_p2p_key.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/p2p.key", dir);
}

static void teardown(void)
{
    (void)unlink(path);
    (void)rmdir(dir);
}

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(the_key_is_made_once)
{
    CLEANUP(p2p_key_close) struct p2p_key *first = NULL, *second = NULL;
    uint8_t a[P2P_KEY_BYTES], b[P2P_KEY_BYTES];
    struct stat st;

    ASSERT_OK(p2p_key_open(path, &first, &test_err));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(st.st_size, 65);
    ASSERT_OK(p2p_key_open(path, &second, &test_err));
    p2p_key_public(first, a);
    p2p_key_public(second, b);
    ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

START_TEST(it_signs_with_a_low_s_for_its_public_key)
{
    CLEANUP(p2p_key_close) struct p2p_key *k = NULL;
    uint8_t public[P2P_KEY_BYTES], der[P2P_KEY_SIG_MAX];
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature sig;

    ASSERT_OK(p2p_key_open(path, &k, &test_err));
    p2p_key_public(k, public);
    ck_assert(secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, public,
                                        sizeof(public)));
    for (uint8_t i = 0; i < 32; i++) {
        uint8_t digest[32] = {i};
        size_t len = p2p_key_sign(k, digest, der);

        ck_assert(secp256k1_ecdsa_signature_parse_der(secp256k1_context_static, &sig,
                                                      der, len));
        ck_assert(
            secp256k1_ecdsa_verify(secp256k1_context_static, &sig, digest, &point));
        digest[31] ^= 1;
        ck_assert(
            !secp256k1_ecdsa_verify(secp256k1_context_static, &sig, digest, &point));
    }
}
END_TEST

START_TEST(the_key_of_one_is_the_generator)
{
    CLEANUP(p2p_key_close) struct p2p_key *k = NULL;
    uint8_t public[P2P_KEY_BYTES];
    char hex[2 * P2P_KEY_BYTES + 1];

    write_file("0000000000000000000000000000000000000000000000000000000000000001\n");
    ASSERT_OK(p2p_key_open(path, &k, &test_err));
    p2p_key_public(k, public);
    hex_encode(public, sizeof(public), hex);
    ck_assert_str_eq(
        hex, "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
}
END_TEST

static const char *const damaged[] = {
    "",
    "7e7b1a2a4f0d8c6b4a29181706f5e4d3c2b1a09f8e7d6c5b4a3928170605\n",
    /* zero, and the order of the group: neither is a secret */
    "0000000000000000000000000000000000000000000000000000000000000000\n",
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141\n",
};

START_TEST(a_damaged_key_is_refused_and_left_alone)
{
    CLEANUP(p2p_key_close) struct p2p_key *k = NULL;
    char text[128] = "";
    FILE *f;

    write_file(damaged[_i]);
    ASSERT_ERR(ERR_CONFLICT, p2p_key_open(path, &k, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "p2p.key holds no key"));
    ck_assert_ptr_null(k);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    (void)fclose(f);
    ck_assert_str_eq(text, damaged[_i]);
}
END_TEST

START_TEST(no_directory_is_an_error_with_its_name)
{
    CLEANUP(p2p_key_close) struct p2p_key *k = NULL;

    ASSERT_ERR(ERR_IO, p2p_key_open("/nonexistent/p2p.key", &k, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "/nonexistent/p2p.key"));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("p2p_key");
    TCase *tc = tcase_create("core");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_key_is_made_once);
    tcase_add_test(tc, it_signs_with_a_low_s_for_its_public_key);
    tcase_add_test(tc, the_key_of_one_is_the_generator);
    tcase_add_loop_test(tc, a_damaged_key_is_refused_and_left_alone, 0,
                        (int)(sizeof(damaged) / sizeof(damaged[0])));
    tcase_add_test(tc, no_directory_is_an_error_with_its_name);
    suite_add_tcase(s, tc);
    return s;
}
