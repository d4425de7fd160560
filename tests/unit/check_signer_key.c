#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/trust/trust_sealed.h"
#include "tests/unit/test.h"

/* cheap: how long it takes is not what is tested */
static const struct trust_cost cheap = {1, TRUST_SEALED_MEM_MIN};

/* RFC 8032, 7.1, test 1; and the scalar 1, whose key is the generator. */
static const char seed[] =
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
static const char seed_public[] =
    "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
static const char one[] =
    "0000000000000000000000000000000000000000000000000000000000000001";
static const char generator[] =
    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
static const char order[] = /* of the group: no scalar */
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

/* tests/data/README.md: by another Argon2 and another secretbox. */
static const char *const passphrases[] = {"correct horse", "gr\xc3\xbc\xc3\x9f"};
static char vectors[2][TRUST_SEALED_MAX];

static void setup(void)
{
    FILE *f = fopen(TEST_DATA "/trust/keys.ndjson", "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(vectors[0], TRUST_SEALED_MAX, f));
    ck_assert_ptr_nonnull(fgets(vectors[1], TRUST_SEALED_MAX, f));
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_ge(sodium_init(), 0);
}

static struct trust_secret *secret_of(enum trust_key_alg alg, const char *hex)
{
    struct trust_secret *s = NULL;
    uint8_t bytes[32];

    ck_assert(hex_hash(hex, bytes));
    ASSERT_OK(trust_secret_create(alg, bytes, &s, &test_err));
    return s;
}

static void assert_key(const struct trust_secret *s, const char *want)
{
    char text[TRUST_KEY_TEXT];

    trust_key_text(trust_secret_key(s), text);
    ck_assert_str_eq(text, want);
}

static enum errc open_text(const char *text, size_t len, const char *passphrase,
                           struct trust_secret **out)
{
    TRUST_SEALED s;
    enum errc rc = trust_sealed_parse(text, len, &s, &test_err);

    return rc ? rc : trust_sealed_open(&s, passphrase, out, &test_err);
}

START_TEST(public_keys_are_those_of_the_vectors)
{
    CLEANUP(trust_secret_free) struct trust_secret *a = secret_of(TRUST_ED25519, seed);
    CLEANUP(trust_secret_free) struct trust_secret *b = secret_of(TRUST_SECP256K1, one);

    assert_key(a, seed_public);
    assert_key(b, generator);
}
END_TEST

START_TEST(a_scalar_out_of_range_is_no_key)
{
    struct trust_secret *s = NULL;
    uint8_t bytes[32] = {0};

    ASSERT_ERR(ERR_INVALID, trust_secret_create(TRUST_SECP256K1, bytes, &s, &test_err));
    ck_assert(hex_hash(order, bytes));
    ASSERT_ERR(ERR_INVALID, trust_secret_create(TRUST_SECP256K1, bytes, &s, &test_err));
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(what_a_key_signs_holds_for_that_key_and_digest_alone)
{
    const enum trust_key_alg alg = (enum trust_key_alg)_i;
    CLEANUP(trust_secret_free) struct trust_secret *s = NULL, *other = NULL;
    uint8_t digest[32] = {1}, sig[64], again[64];

    ASSERT_OK(trust_secret_generate(alg, &s, &test_err));
    ASSERT_OK(trust_secret_generate(alg, &other, &test_err));
    trust_secret_sign(s, digest, sig);
    trust_secret_sign(s, digest, again);
    ck_assert_mem_eq(sig, again, sizeof(sig));
    ck_assert(trust_key_verify(trust_secret_key(s), digest, sig));
    ck_assert(!trust_key_verify(trust_secret_key(other), digest, sig));
    digest[31] ^= 1;
    ck_assert(!trust_key_verify(trust_secret_key(s), digest, sig));
}
END_TEST

/* The signature was made by the cryptography package of Python. */
START_TEST(an_ed25519_signature_is_the_one_of_another_program)
{
    CLEANUP(trust_secret_free) struct trust_secret *s = secret_of(TRUST_ED25519, seed);
    uint8_t digest[32], sig[64];
    char hex[129];

    ck_assert(hex_hash(
        "0bf474896363505e5ea5e5d6ace8ebfb13a760a409b1fb467d428fc716f9f284", digest));
    trust_secret_sign(s, digest, sig);
    hex_encode(sig, sizeof(sig), hex);
    ck_assert_str_eq(
        hex, "90e5fdd2eb3d21e36ff480b101cef44174943a8f82facd0ac2419ffc4b83b5c3"
             "b83d1e71586b97d59027764ecfb1526e2b4f4f9eb3f229c48728123c8c0a0702");
}
END_TEST

START_TEST(key_files_of_another_program_open)
{
    static const char *const publics[] = {seed_public, generator};
    CLEANUP(trust_secret_free) struct trust_secret *s = NULL;
    char again[TRUST_SEALED_MAX];
    TRUST_SEALED sealed;

    ASSERT_OK(open_text(vectors[_i], strlen(vectors[_i]), passphrases[_i], &s));
    assert_key(s, publics[_i]);
    ASSERT_OK(trust_sealed_parse(vectors[_i], strlen(vectors[_i]), &sealed, &test_err));
    ck_assert_uint_eq(trust_sealed_text(&sealed, again), strlen(vectors[_i]));
    ck_assert_str_eq(again, vectors[_i]);
}
END_TEST

START_TEST(a_wrong_passphrase_opens_nothing)
{
    struct trust_secret *s = NULL;

    ASSERT_ERR(ERR_VERIFY,
               open_text(vectors[0], strlen(vectors[0]), "correct horsf", &s));
    ck_assert_str_eq(test_err.msg, "wrong passphrase, or the key file was altered");
    ASSERT_ERR(ERR_VERIFY, open_text(vectors[0], strlen(vectors[0]), "", &s));
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(a_new_key_comes_back_and_no_two_files_are_alike)
{
    const enum trust_key_alg alg = (enum trust_key_alg)_i;
    CLEANUP(trust_secret_free) struct trust_secret *s = NULL, *back = NULL;
    char text[TRUST_SEALED_MAX];
    TRUST_SEALED sealed, second;

    ASSERT_OK(trust_secret_generate(alg, &s, &test_err));
    ASSERT_OK(trust_sealed_seal(s, "a b", &cheap, &sealed, &test_err));
    ASSERT_OK(trust_sealed_seal(s, "a b", &cheap, &second, &test_err));
    ck_assert_mem_ne(sealed.salt, second.salt, sizeof(sealed.salt));
    ck_assert_mem_ne(sealed.nonce, second.nonce, sizeof(sealed.nonce));
    ASSERT_OK(open_text(text, trust_sealed_text(&sealed, text), "a b", &back));
    ck_assert(trust_key_equal(trust_secret_key(s), trust_secret_key(back)));
    ck_assert_mem_eq(trust_secret_bytes(s), trust_secret_bytes(back), 32);
}
END_TEST

START_TEST(without_a_passphrase_the_secret_stands_there)
{
    CLEANUP(trust_secret_free) struct trust_secret *s = secret_of(TRUST_ED25519, seed);
    CLEANUP(trust_secret_free) struct trust_secret *back = NULL;
    char text[TRUST_SEALED_MAX], want[TRUST_SEALED_MAX];
    TRUST_SEALED sealed;

    (void)snprintf(want, sizeof(want),
                   "{\"alg\":\"ed25519\",\"format\":\"cairn-key-1\",\"kdf\":null,"
                   "\"public_key\":\"%s\",\"secret\":\"%s\"}\n",
                   seed_public, seed);
    ASSERT_OK(trust_sealed_seal(s, NULL, &cheap, &sealed, &test_err));
    ck_assert(!sealed.encrypted);
    ck_assert_uint_eq(trust_sealed_text(&sealed, text), strlen(want));
    ck_assert_str_eq(text, want);
    ASSERT_OK(open_text(text, strlen(text), NULL, &back));
    assert_key(back, seed_public);
}
END_TEST

/* Every byte, by every bit: refused, or (the secret of an open file) another key. */
static void flip_all(const char *text, const char *passphrase)
{
    size_t len = strlen(text);
    char bad[TRUST_SEALED_MAX];

    for (size_t i = 0; i < 8 * len; i++) {
        struct trust_secret *s = NULL;

        memcpy(bad, text, len + 1);
        bad[i / 8] = (char)(bad[i / 8] ^ (1 << i % 8));
        ck_assert_msg(open_text(bad, len, passphrase, &s) != ERR_OK,
                      "byte %zu, bit %zu is not seen", i / 8, i % 8);
        ck_assert_ptr_null(s);
    }
}

START_TEST(every_flipped_bit_is_seen)
{
    CLEANUP(trust_secret_free) struct trust_secret *s = secret_of(TRUST_SECP256K1, one);
    char text[TRUST_SEALED_MAX];
    TRUST_SEALED sealed;

    ASSERT_OK(trust_sealed_seal(s, NULL, &cheap, &sealed, &test_err));
    (void)trust_sealed_text(&sealed, text);
    flip_all(text, NULL);
    flip_all(vectors[1], passphrases[1]); /* the cheap one */
}
END_TEST

START_TEST(a_text_that_is_cut_or_longer_is_refused)
{
    size_t len = strlen(vectors[0]);
    char more[TRUST_SEALED_MAX];
    TRUST_SEALED s;

    for (size_t i = 0; i < len; i++) {
        char *cut = malloc(i + 1); /* so that reading past it is seen */

        memcpy(cut, vectors[0], i);
        ASSERT_ERR(ERR_INVALID, trust_sealed_parse(cut, i, &s, &test_err));
        free(cut);
    }
    memcpy(more, vectors[0], len);
    more[len] = '\n';
    ASSERT_ERR(ERR_INVALID, trust_sealed_parse(more, len + 1, &s, &test_err));
}
END_TEST

/* What a file may ask of whoever opens it. */
START_TEST(costs_are_bounded)
{
    static const struct {
        const char *memlimit, *opslimit;
        bool ok;
    } rows[] = {
        {"8192", "1", true},
        {"1073741824", "16", true},
        {"8191", "1", false},
        {"7168", "1", false},
        {"9000", "1", false}, /* Argon2 would round it */
        {"1073742848", "1", false},
        {"18446744073709560832", "1", false}, /* 8192 more than 2^64 */
        {"8192", "0", false},
        {"8192", "17", false},
        {"08192", "1", false},
        {"8192", "", false},
        {"-8192", "1", false},
        {"8192.0", "1", false},
    };
    char text[TRUST_SEALED_MAX];
    TRUST_SEALED s;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int n = snprintf(text, sizeof(text),
                         "{\"alg\":\"secp256k1\",\"box\":\"%096d\",\"format\":"
                         "\"cairn-key-1\",\"kdf\":{\"memlimit\":%s,\"name\":"
                         "\"argon2id\",\"opslimit\":%s,\"salt\":\"%032d\"},\"nonce\":"
                         "\"%048d\",\"public_key\":\"%s\"}\n",
                         0, rows[i].memlimit, rows[i].opslimit, 0, 0, generator);

        ck_assert_int_eq(trust_sealed_parse(text, (size_t)n, &s, &test_err),
                         rows[i].ok ? ERR_OK : ERR_INVALID);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("signer_key");
    TCase *t = tcase_create("signer_key");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, public_keys_are_those_of_the_vectors);
    tcase_add_test(t, a_scalar_out_of_range_is_no_key);
    tcase_add_loop_test(t, what_a_key_signs_holds_for_that_key_and_digest_alone,
                        TRUST_SECP256K1, TRUST_ED25519 + 1);
    tcase_add_test(t, an_ed25519_signature_is_the_one_of_another_program);
    tcase_add_loop_test(t, key_files_of_another_program_open, 0, 2);
    tcase_add_test(t, a_wrong_passphrase_opens_nothing);
    tcase_add_loop_test(t, a_new_key_comes_back_and_no_two_files_are_alike,
                        TRUST_SECP256K1, TRUST_ED25519 + 1);
    tcase_add_test(t, without_a_passphrase_the_secret_stands_there);
    tcase_add_test(t, every_flipped_bit_is_seen);
    tcase_add_test(t, a_text_that_is_cut_or_longer_is_refused);
    tcase_add_test(t, costs_are_bounded);
    suite_add_tcase(s, t);
    return s;
}
