#include <string.h>

#include "sync/p2p/upgrade.h"
#include "tests/unit/test.h"

#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UP      "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define REST    UP KEY "Sec-WebSocket-Version: 13\r\n"
#define ACCEPT  "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define ACCEPTS "Sec-WebSocket-Accept: " ACCEPT "\r\n"

static enum errc request(const char *head)
{
    char accept[UPGRADE_ACCEPT] = "";
    enum errc rc = upgrade_read_request(head, strlen(head), accept, &test_err);

    if (rc == ERR_OK)
        ck_assert_str_eq(accept, ACCEPT); /* RFC 6455, 1.3 */
    return rc;
}

START_TEST(requests_of_browsers_and_libraries_are_taken)
{
    static const char *const good[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n" REST "\r\n",
        "GET /any/path?q=1 HTTP/1.1\r\nhost:x\r\nupgrade:WebSocket\r\n"
        "connection: keep-alive, Upgrade\r\n" KEY "sec-websocket-version:13\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST
        "Sec-WebSocket-Extensions: permessage-deflate\r\nOrigin: null\r\n"
        "Content-Length: 0\r\nUser-Agent: Python/3.11 websockets/13\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n" REST "\r\n",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(request(good[i]) == ERR_OK, "%zu: %s", i, test_err.msg);
}
END_TEST

START_TEST(odd_requests_are_refused)
{
    static const char *const bad[] = {
        "\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: x\r\n" REST "\r\n",
        "get / HTTP/1.1\r\nHost: x\r\n" REST "\r\n",
        "GET x HTTP/1.1\r\nHost: x\r\n" REST "\r\n",
        "GET / / HTTP/1.1\r\nHost: x\r\n" REST "\r\n",
        "GET /\x01 HTTP/1.1\r\nHost: x\r\n" REST "\r\n",
        "GET / HTTP/1.1\r\n" REST "\r\n",                       /* no host */
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n" REST "\r\n", /* two */
        "GET / HTTP/1.1\r\nHost: x\r\n" REST KEY "\r\n",        /* two keys */
        "GET / HTTP/1.1\r\nHost: x\r\n" UP KEY "\r\n",          /* no version */
        "GET / HTTP/1.1\r\nHost: x\r\n" UP KEY "Sec-WebSocket-Version: 8\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST "Sec-WebSocket-Version: 8\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" UP "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" UP
        "Sec-WebSocket-Key: AA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" UP
        "Sec-WebSocket-Key: ********************** =\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websockets\r\nConnection: Upgrade\r\n" KEY
        "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: close\r\n" KEY
        "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST "Content-Length: 5\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST "Transfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST " folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST "No colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST ": no name\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST "Space : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" REST "X: a\nY: b\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(request(bad[i]) != ERR_OK, "%zu", i);
        ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
    }
}
END_TEST

START_TEST(fields_are_counted)
{
    CLEANUP_BUF struct buf head = BUF(UPGRADE_HEAD_MAX);

    buf_puts(&head, "GET / HTTP/1.1\r\nHost: x\r\n" REST);
    for (int i = 5; i < UPGRADE_FIELDS_MAX; i++)
        buf_puts(&head, "X: y\r\n");
    buf_puts(&head, "\r\n");
    ck_assert_int_eq(request(head.data), ERR_OK);
    head.len -= 2;
    buf_puts(&head, "X: y\r\n\r\n");
    ASSERT_ERR(ERR_NET, request(head.data));
}
END_TEST

START_TEST(only_the_answer_to_our_key_will_do)
{
    static const struct {
        const char *head;
        bool good;
    } answers[] = {
        {"HTTP/1.1 101 Switching Protocols\r\n" UP ACCEPTS "\r\n", true},
        {"HTTP/1.1 101\r\n" UP ACCEPTS "Server: x\r\n\r\n", true},
        {"HTTP/1.1 200 OK\r\n" UP ACCEPTS "\r\n", false},
        {"HTTP/1.1 1010\r\n" UP ACCEPTS "\r\n", false},
        {"HTTP/1.0 101 x\r\n" UP ACCEPTS "\r\n", false},
        {"HTTP/1.1 101 x\r\n" UP "\r\n", false},
        {"HTTP/1.1 101 x\r\n" ACCEPTS "\r\n", false},
        {"HTTP/1.1 101 x\r\n" UP ACCEPTS ACCEPTS "\r\n", false},
        {"HTTP/1.1 101 x\r\n" UP
         "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
         "\r\n",
         false},
        {"HTTP/1.1 101 x\r\n" UP ACCEPTS
         "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
         false},
        {"HTTP/1.1 101 x\r\n" UP ACCEPTS "Sec-WebSocket-Protocol: chat\r\n\r\n", false},
        {"HTTP/1.1 101 x\r\n" UP ACCEPTS "Content-Length: 1\r\n\r\n", false},
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const char *head = answers[i].head;

        ck_assert_msg((upgrade_read_answer(head, strlen(head), ACCEPT, &test_err) ==
                       ERR_OK) == answers[i].good,
                      "%zu", i);
    }
}
END_TEST

START_TEST(what_one_side_writes_the_other_reads)
{
    CLEANUP_BUF struct buf out = BUF(UPGRADE_HEAD_MAX), back = BUF(UPGRADE_HEAD_MAX);
    char key[UPGRADE_KEY], again[UPGRADE_KEY], accept[UPGRADE_ACCEPT];

    upgrade_key(key);
    upgrade_key(again);
    ck_assert_str_ne(key, again);
    upgrade_put_request("h:1", "/p", key, &out);
    ASSERT_OK(upgrade_read_request(out.data, out.len, accept, &test_err));
    upgrade_put_answer(accept, &back);
    ASSERT_OK(upgrade_read_answer(back.data, back.len, accept, &test_err));
    upgrade_accept(again, accept);
    ASSERT_ERR(ERR_NET, upgrade_read_answer(back.data, back.len, accept, &test_err));
}
END_TEST

START_TEST(the_end_of_a_head_is_found_in_any_cut)
{
    static const char head[] = "GET / HTTP/1.1\r\nA: b\r\n\r\nrest";
    const size_t end = sizeof(head) - 1 - 4;

    for (size_t cut = 0; cut < sizeof(head); cut++) {
        size_t first = upgrade_head_end(head, cut, 0);

        ck_assert_uint_eq(first, cut >= end ? end : 0);
        if (first == 0)
            ck_assert_uint_eq(upgrade_head_end(head, sizeof(head) - 1, cut), end);
    }
}
END_TEST

Suite *suite(void);

Suite *suite(void)
{
    Suite *s = suite_create("upgrade");
    TCase *t = tcase_create("upgrade");

    tcase_add_test(t, requests_of_browsers_and_libraries_are_taken);
    tcase_add_test(t, odd_requests_are_refused);
    tcase_add_test(t, fields_are_counted);
    tcase_add_test(t, only_the_answer_to_our_key_will_do);
    tcase_add_test(t, what_one_side_writes_the_other_reads);
    tcase_add_test(t, the_end_of_a_head_is_found_in_any_cut);
    suite_add_tcase(s, t);
    return s;
}
