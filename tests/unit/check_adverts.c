#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sync/peer/adverts.h"
#include "sync/peer/seeds.h"
#include "tests/unit/test.h"

static struct cidr nets[2];
static struct adverts_allow nobody, loopback;

static void setup(void)
{
    ck_assert(cidr_parse("127.1.0.0/16", &nets[0]));
    ck_assert(cidr_parse("fd00::/8", &nets[1]));
    loopback = (struct adverts_allow){.networks = nets, .count = 2};
}

static struct adverts *parse(const char *text, const struct adverts_allow *allow)
{
    struct adverts *a = NULL;

    ASSERT_OK(adverts_parse(text, strlen(text), allow, &a, &test_err));
    return a;
}

START_TEST(both_shapes_of_a_list_are_read)
{
    static const char *const texts[] = {
        "{\"count\":2,\"peers\":[\"http://198.51.100.1:8545/\",\"ws://node.example\"],"
        "\"verbose\":false}",
        "[\"http://198.51.100.1:8545\", \"WS://Node.example:8333\", "
        "\"ws://node.example\"]",
    };

    for (size_t i = 0; i < 2; i++) {
        CLEANUP(adverts_free) struct adverts *a = parse(texts[i], &nobody);

        ck_assert_uint_eq(a->count, 2);
        ck_assert_uint_eq(a->refused, 0);
        ck_assert_str_eq(a->urls[0], "http://198.51.100.1:8545");
        ck_assert_str_eq(a->urls[1], "ws://node.example:8333");
    }
}
END_TEST

/* As a live node answered. */
START_TEST(stock_lists_without_peers_are_empty)
{
    static const char *const files[] = {"38_peers", "39_peers_verbose_true"};

    for (size_t i = 0; i < 2; i++) {
        AUTOFREE char *path = xasprintf(TEST_DATA "/http/%s.body", files[i]);
        CLEANUP(adverts_free) struct adverts *a = NULL;
        char text[4096];
        FILE *f = fopen(path, "r");
        size_t n;

        ck_assert_ptr_nonnull(f);
        n = fread(text, 1, sizeof(text), f);
        (void)fclose(f);
        ASSERT_OK(adverts_parse(text, n, &nobody, &a, &test_err));
        ck_assert_uint_eq(a->count, 0);
        ck_assert_uint_eq(a->refused, 0);
    }
}
END_TEST

START_TEST(what_cannot_be_used_is_left_out_and_counted)
{
    static const char *const uris[] = {
        "\"\"",
        "7",
        "null",
        "{}",
        "[\"ws://198.51.100.1\"]",
        "\"198.51.100.1:8333\"",
        "\"ftp://198.51.100.1\"",
        "\"javascript:alert(1)\"",
        "\"http://user:pw@198.51.100.1\"",
        "\"ws://198.51.100.1/path\"",
        "\"http://198.51.100.1/?q\"",
        "\"http://198.51.100.1:0\"",
        "\"http://198.51.100.1:65536\"",
        "\"http://2130706433\"",
        "\"http://0x7f000001\"",
        "\"http://127.0.0.1:8545\"",
        "\"http://127.1.0.1:8545\"",
        "\"ws://10.0.0.1\"",
        "\"ws://169.254.169.254\"",
        "\"ws://[::1]\"",
        "\"ws://[fd00::1]\"",
        "\"ws://[::ffff:192.168.1.1]\"",
        "\"ws://[64:ff9b::7f00:1]\"",
        "\"ws://localhost\"",
        "\"ws://a.localhost\"",
        "\"ws://router\"",
        "\"ws://printer.local\"",
        "\"ws://metadata.google.internal\"",
        "\"ws://a\\u0000b.example\"",
        "\"ws://a b.example\"",
    };
    enum { COUNT = sizeof(uris) / sizeof(uris[0]) };

    for (size_t i = 0; i < COUNT; i++) {
        AUTOFREE char *text = xasprintf("[%s, \"ws://203.0.113.1\"]", uris[i]);
        CLEANUP(adverts_free) struct adverts *a = parse(text, &nobody);

        ck_assert_msg(a->count == 1 && a->refused == 1, "%s", uris[i]);
        ck_assert_str_eq(a->urls[0], "ws://203.0.113.1:8333");
    }
}
END_TEST

START_TEST(allowed_networks_may_be_named)
{
    char out[URL_WS_MAX] = "kept";

    ASSERT_OK(adverts_check("http://127.1.0.9:8545", &loopback, out, &test_err));
    ASSERT_OK(adverts_check("ws://[fd12::1]", &loopback, out, &test_err));
    ck_assert_str_eq(out, "ws://[fd12::1]:8333");
    ASSERT_ERR(ERR_VERIFY,
               adverts_check("http://127.2.0.9:8545", &loopback, out, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_SOURCE_FORBIDDEN);
    ASSERT_ERR(ERR_VERIFY,
               adverts_check("http://127.1.0.9:8545", &nobody, out, &test_err));
    ASSERT_ERR(ERR_INVALID, adverts_check("nonsense", &loopback, out, &test_err));
    ck_assert_str_eq(out, "ws://[fd12::1]:8333");
}
END_TEST

START_TEST(what_is_no_list_is_a_bad_answer)
{
    static const char *const texts[] = {
        "",
        "{",
        "7",
        "\"ws://198.51.100.1\"",
        "{}",
        "{\"peers\":{}}",
        "{\"peers\":\"ws://198.51.100.1\"}",
        "{\"peers\":[],\"peers\":[\"ws://198.51.100.1\"]}",
        "[\"ws://198.51.100.1\"] x",
        "[[[[[[[[[[]]]]]]]]]]",
        "<html>",
    };
    struct adverts *a = NULL;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_msg(adverts_parse(texts[i], strlen(texts[i]), &nobody, &a,
                                    &test_err) == ERR_NET,
                      "%s", texts[i]);
        ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
        ck_assert_ptr_nonnull(strstr(test_err.msg, "list of peers: "));
    }
    ck_assert_ptr_null(a);
}
END_TEST

START_TEST(lists_are_bounded)
{
    CLEANUP(adverts_free) struct adverts *a = NULL;
    AUTOFREE char *big = xcalloc(1, ADVERTS_BYTES_MAX + 3);
    struct adverts *none = NULL;
    struct buf text = BUF(1 << 20);

    buf_puts(&text, "[");
    for (int i = 0; i < 5000; i++) {
        AUTOFREE char *one =
            xasprintf("%s\"ws://60.%d.%d.1\"", i ? "," : "", i / 250, i % 250);

        buf_puts(&text, one);
    }
    buf_puts(&text, "]");
    ASSERT_OK(adverts_parse((const char *)text.data, text.len, &nobody, &a, &test_err));
    ck_assert_uint_eq(a->count, ADVERTS_MAX);
    ck_assert_uint_eq(a->refused, 5000 - ADVERTS_MAX);
    buf_fini(&text);
    memset(big, ' ', ADVERTS_BYTES_MAX + 2);
    big[0] = '[';
    big[ADVERTS_BYTES_MAX] = ']';
    ASSERT_ERR(ERR_NET,
               adverts_parse(big, ADVERTS_BYTES_MAX + 1, &nobody, &none, &test_err));
    big[ADVERTS_BYTES_MAX - 1] = ']';
    ASSERT_OK(adverts_parse(big, ADVERTS_BYTES_MAX, &nobody, &none, &test_err));
    adverts_free(none);
}
END_TEST

START_TEST(strangers_are_told_of_public_addresses_alone)
{
    static const struct {
        const char *url, *ip;
        bool told;
    } cases[] = {
        {"http://198.51.100.1:8545", "198.51.100.1", true},
        {"wss://node.example.org:8333", "198.51.100.1", true},
        {"ws://[2001:db8::1]:8333", "2001:db8::1", true},
        {"http://198.51.100.1:8545", "", false}, /* never reached */
        {"http://127.0.0.1:8545", "127.0.0.1", false},
        {"http://10.0.0.7", "10.0.0.7", false},
        {"ws://[fd00::1]:8333", "fd00::1", false},
        {"http://node.example.org", "192.168.1.4", false}, /* his own DNS */
        {"http://node.internal", "198.51.100.1", false},
        {"http://node", "198.51.100.1", false},
        {"http://198.51.100.1/a-secret", "198.51.100.1", false},
        {"http://me:word@198.51.100.1", "198.51.100.1", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(adverts_may_tell(cases[i].url, cases[i].ip) == cases[i].told,
                      "%s at %s", cases[i].url, cases[i].ip);
}
END_TEST

/* --- seeds: localhost is in every hosts file, and no resolver is asked --- */

START_TEST(a_seed_gives_peers_on_the_port_of_the_protocol)
{
    struct cidr all[2];
    struct adverts_allow allow = {.networks = all, .count = 2};
    struct seeds s;

    ck_assert(cidr_parse("127.0.0.0/8", &all[0]) && cidr_parse("::1", &all[1]));
    ASSERT_OK(seeds_resolve("localhost", false, &allow, &s, &test_err));
    ck_assert_uint_ge(s.count, 1);
    for (size_t i = 0; i < s.count; i++)
        ck_assert(strcmp(s.urls[i], "ws://127.0.0.1:8333") == 0 ||
                  strcmp(s.urls[i], "ws://[::1]:8333") == 0);
    ASSERT_OK(seeds_resolve("localhost", true, &allow, &s, &test_err));
    ck_assert_int_eq(strncmp(s.urls[0], "wss://", 6), 0);
}
END_TEST

START_TEST(a_seed_that_leads_home_gives_nothing)
{
    struct seeds s;

    ASSERT_OK(seeds_resolve("localhost", false, &nobody, &s, &test_err));
    ck_assert_uint_eq(s.count, 0);
    ck_assert_uint_ge(s.refused, 1);
}
END_TEST

START_TEST(a_seed_that_is_nowhere_says_so)
{
    struct seeds s;

    ASSERT_ERR(ERR_NET,
               seeds_resolve("no-such-host.invalid", false, &nobody, &s, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_SOURCE_UNREACHABLE);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "DNS seed no-such-host.invalid: "));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("adverts");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, both_shapes_of_a_list_are_read);
    tcase_add_test(tc, stock_lists_without_peers_are_empty);
    tcase_add_test(tc, what_cannot_be_used_is_left_out_and_counted);
    tcase_add_test(tc, allowed_networks_may_be_named);
    tcase_add_test(tc, strangers_are_told_of_public_addresses_alone);
    tcase_add_test(tc, what_is_no_list_is_a_bad_answer);
    tcase_add_test(tc, lists_are_bounded);
    tcase_add_test(tc, a_seed_gives_peers_on_the_port_of_the_protocol);
    tcase_add_test(tc, a_seed_that_leads_home_gives_nothing);
    tcase_add_test(tc, a_seed_that_is_nowhere_says_so);
    suite_add_tcase(s, tc);
    return s;
}
