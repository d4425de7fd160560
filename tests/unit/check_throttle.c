#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>

#include "rpc/etag.h"
#include "rpc/throttle.h"
#include "tests/unit/test.h"

static struct throttle *throttle;

static void set_up(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    throttle = throttle_create();
}

static void tear_down(void)
{
    throttle_free(throttle);
}

static bool wrong_from(const char *address, int64_t now_ms)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return throttle_wrong(throttle, (struct sockaddr *)&v4, now_ms);
    ck_assert_int_eq(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return throttle_wrong(throttle, (struct sockaddr *)&v6, now_ms);
}

START_TEST(the_one_after_twenty_is_too_many)
{
    for (int i = 0; i < 20; i++)
        ck_assert(!wrong_from("127.0.0.1", 5000));
    ck_assert(wrong_from("127.0.0.1", 5000));
    ck_assert(wrong_from("127.0.0.1", 59999));
    ck_assert(!wrong_from("127.0.0.1", 60000)); /* a new minute */
    for (int i = 0; i < 19; i++)
        ck_assert(!wrong_from("127.0.0.1", 60001));
    ck_assert(wrong_from("127.0.0.1", 119999));
}
END_TEST

START_TEST(others_are_not_blamed)
{
    char address[32];
    int blamed = 0;

    for (int i = 0; i < 25; i++)
        (void)wrong_from("127.0.0.1", 0);
    for (int i = 2; i < 102; i++) {
        (void)snprintf(address, sizeof(address), "127.0.0.%d", i);
        blamed += wrong_from(address, 0);
    }
    ck_assert_int_le(blamed, 5); /* who shares the slot: 1 of 1024 each */
    for (int i = 0; i < 20; i++)
        (void)wrong_from("::1", 0);
    ck_assert(wrong_from("::1", 0));
}
END_TEST

START_TEST(a_flood_does_not_wrap_round)
{
    for (int i = 0; i < 100000; i++)
        (void)wrong_from("127.0.0.1", 1);
    ck_assert(wrong_from("127.0.0.1", 1));
    ck_assert(!wrong_from("127.0.0.1", 60000));
}
END_TEST

START_TEST(the_wait_is_until_the_minute_ends)
{
    ck_assert_uint_eq(throttle_seconds_left(0), 60);
    ck_assert_uint_eq(throttle_seconds_left(1), 60);
    ck_assert_uint_eq(throttle_seconds_left(59000), 1);
    ck_assert_uint_eq(throttle_seconds_left(59999), 1);
    ck_assert_uint_eq(throttle_seconds_left(60000), 60);
}
END_TEST

START_TEST(a_tag_is_of_the_whole_body)
{
    char a[ETAG_TEXT], b[ETAG_TEXT];

    etag_of("", 0, a); /* SHA-256 of nothing */
    ck_assert_str_eq(a, "\"e3b0c44298fc1c149afbf4c8996fb924\"");
    etag_of("abc", 3, a);
    etag_of("abd", 3, b);
    ck_assert_str_ne(a, b);
    etag_of("abc", 2, b);
    ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(tags_are_found_in_lists)
{
    static const char tag[] = "\"aa\"";
    static const char *const yes[] = {
        "\"aa\"",         "W/\"aa\"",        "*",           "\"b\", \"aa\"", " \"aa\" ",
        "\"b\",W/\"aa\"", "\"x,\" , \"aa\"", "\"aa\",\"b\""};
    static const char *const no[] = {"",        "aa",   "\"a\"",    "\"aab\"",   "\"aa",
                                     "\"AA\"",  "W/aa", "w/\"aa\"", "\"b\", aa", "\"b",
                                     "x\"aa\"", "\"\"", ","};

    ck_assert(!etag_matches(NULL, tag));
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        ck_assert_msg(etag_matches(yes[i], tag), "%s", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        ck_assert_msg(!etag_matches(no[i], tag), "%s", no[i]);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("throttle");
    TCase *t = tcase_create("throttle");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, the_one_after_twenty_is_too_many);
    tcase_add_test(t, others_are_not_blamed);
    tcase_add_test(t, a_flood_does_not_wrap_round);
    tcase_add_test(t, the_wait_is_until_the_minute_ends);
    tcase_add_test(t, a_tag_is_of_the_whole_body);
    tcase_add_test(t, tags_are_found_in_lists);
    suite_add_tcase(s, t);
    return s;
}
