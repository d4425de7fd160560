#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sync/identity.h"
#include "tests/unit/test.h"

static char dir[64], path[96];

static void setup(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/check_identity.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/node.key", dir);
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

START_TEST(the_key_is_made_once_and_signs_for_good)
{
    CLEANUP(identity_close) struct identity *first = NULL, *second = NULL;
    uint8_t a[32], b[32], sig[64];
    struct stat st;

    ASSERT_OK(identity_open(path, &first, &test_err));
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ASSERT_OK(identity_open(path, &second, &test_err));
    identity_public(first, a);
    identity_public(second, b);
    ck_assert_mem_eq(a, b, 32);
    identity_sign(first, "word", 4, sig);
    ck_assert_int_eq(crypto_sign_verify_detached(sig, (const uint8_t *)"word", 4, b),
                     0);
    ck_assert_int_ne(crypto_sign_verify_detached(sig, (const uint8_t *)"ward", 4, b),
                     0);
}
END_TEST

static const char *const damaged[] = {
    "",
    "\n",
    "zz5e7e7b1a2a4f0d8c6b4a29181706f5e4d3c2b1a09f8e7d6c5b4a3928170605\n",
    "005e7e7b1a2a4f0d8c6b4a29181706f5e4d3c2b1a09f8e7d6c5b4a3928170605",
    "005e7e7b1a2a4f0d8c6b4a29181706f5e4d3c2b1a09f8e7d6c5b4a3928170605\nx",
};

START_TEST(a_damaged_key_is_refused_and_left_alone)
{
    CLEANUP(identity_close) struct identity *id = NULL;
    char text[128] = "";
    FILE *f;

    write_file(damaged[_i]);
    ASSERT_ERR(ERR_CONFLICT, identity_open(path, &id, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "holds no key"));
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    (void)fclose(f);
    ck_assert_str_eq(text, damaged[_i]);
}
END_TEST

START_TEST(no_directory_is_an_error_with_its_name)
{
    CLEANUP(identity_close) struct identity *id = NULL;

    ASSERT_ERR(ERR_IO, identity_open("/nonexistent/node.key", &id, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "/nonexistent/node.key"));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("identity");
    TCase *tc = tcase_create("core");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_key_is_made_once_and_signs_for_good);
    tcase_add_loop_test(tc, a_damaged_key_is_refused_and_left_alone, 0,
                        (int)(sizeof(damaged) / sizeof(damaged[0])));
    tcase_add_test(tc, no_directory_is_an_error_with_its_name);
    suite_add_tcase(s, tc);
    return s;
}
