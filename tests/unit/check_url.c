#include <string.h>

#include "sync/peer/cidr.h"
#include "sync/peer/url.h"
#include "tests/unit/test.h"

struct pair {
    const char *in, *out;
};

START_TEST(good_urls_pass)
{
    static const char *const urls[] = {
        "http://a",
        "https://example.org/x/y?z=1&w=%20",
        "HTTP://A.B:1/",
        "http://127.0.0.1:65535",
        "http://[::1]:8545/blocks/1",
        "http://3node/",
        "http://my_host-1.x1:80/",
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        ASSERT_OK(url_check(urls[i], &test_err));
}
END_TEST

START_TEST(bad_urls_say_what_is_wrong)
{
    static const struct pair urls[] = {
        {"", "http:// or https://"},
        {"example.org", "http:// or https://"},
        {"ws://a/", "http:// or https://"},
        {"file:///etc/passwd", "http:// or https://"},
        {"http:/a", "http:// or https://"},
        {"http://", "empty part"},
        {"http:///x", "empty part"},
        {"http://:80/", "empty part"},
        {"http://a..b/", "empty part"},
        {"http://a./", "empty part"},
        {"http://a:/", "1..65535"},
        {"http://a:0/", "1..65535"},
        {"http://a:65536/", "1..65535"},
        {"http://a:99999999999999999999/", "1..65535"},
        {"http://a:8x/", "no number"},
        {"http://a:-1/", "no number"},
        {"http://u@a/", "credentials"},
        {"http://u:p@a/", "credentials"},
        {"http://a\\@b/", "no URL has"},
        {"http://a b/", "no URL has"},
        {"http://a/\n", "no URL has"},
        {"http://\xc3\xa4/", "no URL has"},
        {"http://a/#f", "fragment"},
        {"http://a%2fb/", "odd character"},
        {"http://a,b/", "odd character"},
        {"http://1.2.3/", "no IPv4 address"},
        {"http://256.1.1.1/", "no IPv4 address"},
        {"http://2130706433/", "no IPv4 address"},
        {"http://0x7f.0.0.0x1/", "no IPv4 address"},
        {"http://0x7f000001/", "no IPv4 address"},
        {"http://127.0.0.01/", "no IPv4 address"},
        {"http://[::1/", "not closed"},
        {"http://[::1]x/", "follows"},
        {"http://[]/", "no IPv6 address"},
        {"http://[1.2.3.4]/", "no IPv6 address"},
        {"http://[fe80::1%25eth0]/", "no IPv6 address"},
        {"http://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/",
         "no IPv6 address"},
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        ck_assert_msg(url_check(urls[i].in, &test_err) == ERR_INVALID, "%s",
                      urls[i].in);
        ck_assert_msg(strstr(test_err.msg, urls[i].out) != NULL, "%s: %s", urls[i].in,
                      test_err.msg);
    }
}
END_TEST

START_TEST(lengths_are_bounded)
{
    char url[URL_MAX + 8] = "http://a/", host[400] = "http://";

    memset(url + 9, 'x', URL_MAX - 10);
    ck_assert_uint_eq(strlen(url), URL_MAX - 1);
    ASSERT_OK(url_check(url, &test_err));
    url[URL_MAX - 1] = 'x';
    ASSERT_ERR(ERR_INVALID, url_check(url, &test_err));
    memset(host + 7, 'h', URL_HOST_MAX - 1);
    ASSERT_OK(url_check(host, &test_err));
    host[7 + URL_HOST_MAX - 1] = 'h';
    ASSERT_ERR(ERR_INVALID, url_check(host, &test_err));
}
END_TEST

START_TEST(a_base_has_one_spelling)
{
    static const struct pair urls[] = {
        {"http://Example.ORG", "http://example.org"},
        {"HTTPS://example.org///", "https://example.org"},
        {"http://example.org:80/", "http://example.org"},
        {"https://example.org:443", "https://example.org"},
        {"https://example.org:80", "https://example.org:80"},
        {"http://a:08545/api//v1/", "http://a:8545/api//v1"},
        {"http://[2001:DB8:0:0::1]:80/", "http://[2001:db8::1]"},
        {"WS://Example.org/", "ws://example.org:8333"},
        {"wss://example.org:8333", "wss://example.org:8333"},
        {"ws://a:80", "ws://a:80"},
        {"wss://[2001:DB8::0:1]:8765//", "wss://[2001:db8::1]:8765"},
    };
    char out[URL_MAX];

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        ASSERT_OK(url_normalise_base(urls[i].in, out, &test_err));
        ck_assert_str_eq(out, urls[i].out);
    }
    ASSERT_ERR(ERR_INVALID, url_normalise_base("http://a/?q=1", out, &test_err));
    ASSERT_ERR(ERR_INVALID, url_normalise_base("ws://a/chat", out, &test_err));
    ck_assert_str_eq(test_err.msg, "a ws:// URL has no path");
    ASSERT_ERR(ERR_INVALID, url_normalise_base("ftp://a", out, &test_err));
    ck_assert_str_eq(out, "wss://[2001:db8::1]:8765");
}
END_TEST

START_TEST(a_websocket_url_is_short)
{
    char url[URL_WS_MAX + 8] = "ws://", out[URL_MAX];
    size_t host = URL_WS_MAX - 1 - strlen("ws://") - strlen(":8333");

    memset(url + 5, 'h', host);
    ASSERT_OK(url_normalise_base(url, out, &test_err));
    ck_assert_uint_eq(strlen(out), URL_WS_MAX - 1);
    url[5 + host] = 'h';
    ASSERT_ERR(ERR_INVALID, url_normalise_base(url, out, &test_err));
    ck_assert(url_is_ws("WSS://x") && url_is_ws("ws://x"));
    ck_assert(!url_is_ws("https://x") && !url_is_ws("wsx://x"));
}
END_TEST

START_TEST(the_host_is_bare)
{
    static const struct pair urls[] = {
        {"http://Example.org:1/x", "example.org"},
        {"http://[::FFFF:1.2.3.4]/", "::ffff:1.2.3.4"},
        {"http://1.2.3.4?q", "1.2.3.4"},
    };
    char out[URL_HOST_MAX] = "kept";

    ck_assert(!url_host("ftp://a/", out));
    ck_assert_str_eq(out, "kept");
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        ck_assert(url_host(urls[i].in, out));
        ck_assert_str_eq(out, urls[i].out);
    }
}
END_TEST

START_TEST(groups_are_16_bits_of_ipv4_and_32_of_ipv6)
{
    static const struct pair ips[] = {
        {"127.1.2.3", "127.1.0.0/16"},           {"255.255.255.255", "255.255.0.0/16"},
        {"2001:db8:1:2::3", "2001:db8::/32"},    {"::ffff:10.20.30.40", "10.20.0.0/16"},
        {"ffff:ffff:ffff::1", "ffff:ffff::/32"},
    };
    char out[URL_GROUP_MAX] = "kept";

    ck_assert(!url_network_group("example.org", out));
    ck_assert(!url_network_group("", out));
    ck_assert(!url_network_group("1.2.3.4/8", out));
    ck_assert_str_eq(out, "kept");
    for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
        ck_assert(url_network_group(ips[i].in, out));
        ck_assert_str_eq(out, ips[i].out);
    }
}
END_TEST

START_TEST(local_addresses_are_known)
{
    static const char *const local[] = {
        "127.0.0.1",
        "127.255.255.255",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "198.19.0.1",
        "::",
        "::1",
        "fe80::1",
        "febf::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:c0a8:1::1",
        "::127.0.0.1",
        "nonsense",
        "",
        "1.2.3",
        "[::1]",
    };
    static const char *const far[] = {
        "8.8.8.8",         "1.1.1.1",         "172.15.0.1",      "172.32.0.1",
        "192.169.0.1",     "100.128.0.1",     "223.255.255.255", "169.253.0.1",
        "2606:4700::1",    "2001:4860::8888", "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8",
        "2002:808:808::1", "198.20.0.1",      "11.0.0.1",
    };

    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        ck_assert_msg(url_address_is_local(local[i]), "%s", local[i]);
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
        ck_assert_msg(!url_address_is_local(far[i]), "%s", far[i]);
}
END_TEST

START_TEST(networks_contain_their_addresses)
{
    static const struct {
        const char *net, *address;
        bool in;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "::ffff:10.0.0.1", true},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "8.8.8.8", true},
        {"192.168.1.0/25", "192.168.1.127", true},
        {"192.168.1.0/25", "192.168.1.128", false},
        {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},
        {"1.2.3.4", "1.2.3.4", true},
        {"1.2.3.4", "1.2.3.5", false},
        {"1.2.3.4/32", "1.2.3.4", true},
        {"::1/128", "::1", true},
    };
    struct cidr net, address;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(cidr_parse(cases[i].net, &net), "%s", cases[i].net);
        ck_assert(cidr_parse_address(cases[i].address, &address));
        ck_assert_msg(cidr_contains(&net, &address) == cases[i].in, "%s in %s",
                      cases[i].address, cases[i].net);
    }
}
END_TEST

START_TEST(networks_that_are_none_are_refused)
{
    static const char *const bad[] = {
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/-1",
        "10.0.0.1/8",
        "::/129",
        "fd00::1/8",
        "10.0.0.0/8/8",
        "x/8",
        "10.0.0/8",
        "10.0.0.0/8 ",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8",
    };
    struct cidr net;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!cidr_parse(bad[i], &net), "%s", bad[i]);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("url");
    TCase *tc = tcase_create("core");

    tcase_add_test(tc, good_urls_pass);
    tcase_add_test(tc, bad_urls_say_what_is_wrong);
    tcase_add_test(tc, lengths_are_bounded);
    tcase_add_test(tc, a_base_has_one_spelling);
    tcase_add_test(tc, a_websocket_url_is_short);
    tcase_add_test(tc, the_host_is_bare);
    tcase_add_test(tc, groups_are_16_bits_of_ipv4_and_32_of_ipv6);
    tcase_add_test(tc, local_addresses_are_known);
    tcase_add_test(tc, networks_contain_their_addresses);
    tcase_add_test(tc, networks_that_are_none_are_refused);
    suite_add_tcase(s, tc);
    return s;
}
