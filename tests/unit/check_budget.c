#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "rpc/budget.h"
#include "rpc/client.h"
#include "rpc/encoding.h"
#include "rpc/public_number.h"
#include "tests/unit/test.h"

static const struct budget_limits one = {
    .requests_per_second = 10, .bytes_per_second = 1000, .connections = 3, .held = 500};
static const struct budget_limits all = {
    .requests_per_second = 20, .bytes_per_second = 2000, .connections = 5, .held = 800};
static struct budget *budget;
static int64_t now_ms;

static void set_up(void)
{
    budget = budget_create(&one, &all);
    now_ms = 100000;
}

static void tear_down(void)
{
    budget_free(budget);
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static union address at(const char *text)
{
    union address a = {0};

    if (strchr(text, ':')) {
        a.v6.sin6_family = AF_INET6;
        ck_assert_int_eq(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
    } else {
        a.v4.sin_family = AF_INET;
        ck_assert_int_eq(inet_pton(AF_INET, text, &a.v4.sin_addr), 1);
    }
    return a;
}

static unsigned ask(const char *from)
{
    const union address a = at(from);

    return budget_ask(budget, &a.any, now_ms);
}

static void pay(const char *from, size_t bytes)
{
    const union address a = at(from);

    budget_pay(budget, &a.any, bytes, now_ms);
}

/* How many are answered of a thousand at this moment. */
static unsigned answered(const char *from)
{
    unsigned n = 0;

    for (int i = 0; i < 1000; i++)
        n += ask(from) == 0;
    return n;
}

START_TEST(requests_refill_steadily)
{
    ck_assert_uint_eq(answered("192.0.2.1"), 51); /* five seconds', and the last */
    ck_assert_uint_eq(ask("192.0.2.1"), 1);
    now_ms += 1000;
    ck_assert_uint_eq(answered("192.0.2.1"), 10);
    now_ms += 3600000; /* no more than a burst is saved up */
    ck_assert_uint_eq(answered("192.0.2.1"), 51);
}
END_TEST

START_TEST(one_that_floods_leaves_room_for_another)
{
    ck_assert_uint_eq(answered("192.0.2.1"), 51);
    ck_assert_uint_eq(answered("192.0.2.2"), 50); /* all together: 101 */
    ck_assert_uint_ge(ask("192.0.2.3"), 1);
    now_ms += 1000;
    ck_assert_uint_eq(answered("192.0.2.3"), 20);
}
END_TEST

START_TEST(bytes_are_paid_for_by_later_requests)
{
    ck_assert_uint_eq(ask("192.0.2.1"), 0);
    pay("192.0.2.1", 9000); /* five seconds' worth is 5000 */
    ck_assert_uint_eq(ask("192.0.2.1"), 4);
    ck_assert_uint_eq(ask("192.0.2.2"), 0);
    now_ms += 3999;
    ck_assert_uint_eq(ask("192.0.2.1"), 1);
    now_ms += 1;
    ck_assert_uint_eq(ask("192.0.2.1"), 0);
    pay("192.0.2.1", 100000); /* the total's too: 10000 in a burst */
    ck_assert_uint_ge(ask("192.0.2.2"), 1);
}
END_TEST

START_TEST(connections_are_counted)
{
    const union address a = at("192.0.2.1"), b = at("192.0.2.2");

    for (unsigned i = 0; i < 3; i++)
        ck_assert(budget_connected(budget, &a.any));
    ck_assert(!budget_connected(budget, &a.any));
    ck_assert(budget_room(budget, &a.any));
    ck_assert(
        budget_connected(budget, &b.any)); /* five in all, with the one too many */
    ck_assert(!budget_connected(budget, &b.any));
    ck_assert(!budget_connected(budget, &a.any));
    ck_assert(!budget_connected(budget, &a.any));
    ck_assert(!budget_room(budget, &a.any)); /* six of it are there */
    for (unsigned i = 0; i < 6; i++)
        budget_disconnected(budget, &a.any);
    ck_assert(budget_connected(budget, &a.any));
}
END_TEST

START_TEST(what_is_held_is_bounded)
{
    const union address a = at("192.0.2.1"), b = at("192.0.2.2");

    ck_assert(budget_hold(budget, &a.any, 500));
    ck_assert(!budget_hold(budget, &a.any, 1));
    ck_assert(!budget_hold(budget, &b.any, 301)); /* 800 in all */
    ck_assert(budget_hold(budget, &b.any, 300));
    budget_release(budget, &a.any, 500);
    ck_assert(budget_hold(budget, &b.any, 200));
    ck_assert(!budget_hold(budget, &b.any, 1));
    ck_assert(!budget_hold(budget, &a.any, SIZE_MAX)); /* more than can be counted */
    ck_assert(budget_hold(budget, &a.any, 300));
}
END_TEST

static bool is_same(const char *a, const char *b)
{
    const union address x = at(a), y = at(b);
    const uint8_t key[CLIENT_KEY] = {7};

    return client_number(key, &x.any) == client_number(key, &y.any);
}

START_TEST(a_client_is_an_address_or_a_64)
{
    ck_assert(is_same("192.0.2.1", "192.0.2.1"));
    ck_assert(!is_same("192.0.2.1", "192.0.2.2"));
    ck_assert(is_same("192.0.2.1", "::ffff:192.0.2.1"));
    ck_assert(!is_same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    ck_assert(is_same("2001:db8::1", "2001:db8::ffff:1:2:3"));
    ck_assert(!is_same("2001:db8::1", "2001:db8:0:1::1"));
    ck_assert(!is_same("192.0.2.1", "c000:201::"));
}
END_TEST

START_TEST(encodings_are_chosen)
{
    static const struct {
        const char *header;
        enum encoding want;
    } cases[] = {
        {NULL, ENCODING_NONE},
        {"", ENCODING_NONE},
        {"gzip", ENCODING_GZIP},
        {"gzip, zstd", ENCODING_ZSTD},
        {" , ZSTD;q=0.1", ENCODING_ZSTD},
        {"zstd;q=0, gzip;q=1.0", ENCODING_GZIP},
        {"zstd; q=0.000", ENCODING_NONE},
        {"gzipped, x-zstd, br, *", ENCODING_NONE},
        {"deflate;q=0.5,gzip ;q=0.4", ENCODING_GZIP},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(encoding_choose(cases[i].header) == cases[i].want, "%s",
                      cases[i].header);
    ck_assert_str_eq(encoding_name(ENCODING_GZIP), "gzip");
    ck_assert_str_eq(encoding_name(ENCODING_ZSTD), "zstd");
    ck_assert_ptr_null(encoding_name(ENCODING_NONE));
}
END_TEST

static void assert_int(const char *text, bool is, int64_t want)
{
    int64_t got = 77;

    ck_assert_msg(public_number_int(text, &got) == is, "%s", text);
    ck_assert_int_eq(got, is ? want : 77);
}

START_TEST(numbers_are_read_within_bounds)
{
    uint64_t height = 77;

    assert_int("0", true, 0);
    assert_int("-0", true, 0);
    assert_int("+12", true, 12);
    assert_int("-12", true, -12);
    assert_int("000000000000000000000000000001", true, 1);
    assert_int("9223372036854775807", true, INT64_MAX);
    assert_int("9223372036854775808", true, INT64_MAX);
    assert_int("-99999999999999999999999", true, -INT64_MAX);
    assert_int("", false, 0);
    assert_int(NULL, false, 0);
    assert_int("-", false, 0);
    assert_int("1 ", false, 0);
    assert_int("--1", false, 0);
    assert_int("0x1", false, 0);
    ck_assert(!public_number_height(NULL, &height) &&
              !public_number_height("", &height));
    ck_assert(!public_number_height("+1", &height) &&
              !public_number_height("-1", &height));
    ck_assert(!public_number_height("9223372036854775808", &height));
    ck_assert(!public_number_height("00000000000000000001", &height));
    ck_assert_uint_eq(height, 77);
    ck_assert(public_number_height("9223372036854775807", &height));
    ck_assert_uint_eq(height, INT64_MAX);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("budget");
    TCase *t = tcase_create("budget");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, requests_refill_steadily);
    tcase_add_test(t, one_that_floods_leaves_room_for_another);
    tcase_add_test(t, bytes_are_paid_for_by_later_requests);
    tcase_add_test(t, connections_are_counted);
    tcase_add_test(t, what_is_held_is_bounded);
    tcase_add_test(t, a_client_is_an_address_or_a_64);
    tcase_add_test(t, encodings_are_chosen);
    tcase_add_test(t, numbers_are_read_within_bounds);
    suite_add_tcase(s, t);
    return s;
}
