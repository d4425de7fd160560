#include <arpa/inet.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "rpc/rpc.h"
#include "store/control.h"
#include "sync/job_fsm.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/test.h"

/* The server on real sockets, with an engine that says what the test wants. */
static char dir[64], token[70];
static struct control *control;
static struct chain_params params;
static struct rpc_config cfg;
static struct rpc *rpc;
static atomic_uint stops;

static void on_stop(void *arg)
{
    atomic_fetch_add((atomic_uint *)arg, 1);
}

static void start(void)
{
    char path[100];
    FILE *f;

    ASSERT_OK(rpc_start(&cfg, &fake, &rpc, &test_err));
    (void)snprintf(path, sizeof(path), "%s/rpc.cookie", dir);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(token, sizeof(token), f));
    (void)fclose(f);
    token[64] = '\0';
}

static void set_up(void)
{
    char path[100];

    fake_reset();
    (void)snprintf(dir, sizeof(dir), "/tmp/cairn-server-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/control.db", dir);
    ASSERT_OK(control_open(path, CONTROL_WRITER, &control, &test_err));
    cfg = (struct rpc_config){.listen = "127.0.0.1:0",
                              .data_dir = dir,
                              .params = &params,
                              .config_json = "{}",
                              .stop = on_stop,
                              .stop_arg = &stops};
    atomic_store(&stops, 0);
    start();
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void stop(void)
{
    rpc_stop(rpc);
    rpc = NULL;
}

static void tear_down(void)
{
    stop();
    control_close(control);
    fake_forget();
    ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = 30};
    const char *colon = strrchr(rpc_address(rpc), ':');
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_port = htons((in_port_t)strtoul(colon + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    ck_assert_int_eq(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All there comes until the other side closes; the caller frees it. */
static char *hear(int fd)
{
    struct buf text = BUF(1 << 20);
    char piece[4096];
    ssize_t n;

    while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
        buf_put(&text, piece, (size_t)n);
    (void)close(fd);
    return text.len > 0 ? buf_take(&text) : xstrdup("");
}

#define HEAD                                                         \
    "POST /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" \
    "Content-Type: application/json\r\n"

static void call(int fd, const char *body)
{
    char *text =
        xasprintf(HEAD "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
                  token, strlen(body), body);

    say(fd, text);
    free(text);
}

/* The body of the answer to a call; the caller frees it. */
static char *heard_body(int fd)
{
    char *whole = hear(fd), *body = strstr(whole, "\r\n\r\n");

    ck_assert_msg(strncmp(whole, "HTTP/1.1 200 ", 13) == 0, "%s", whole);
    body = xstrdup(body + 4);
    free(whole);
    return body;
}

static void assert_has(char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "%s", text);
    free(text);
}

static void assert_status_is_answered(void)
{
    int fd = dial();

    call(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sync.status\"}");
    assert_has(heard_body(fd), "\"state\":\"idle\"");
}

START_TEST(calls_are_answered)
{
    assert_status_is_answered();
    ck_assert_int_eq(strncmp(rpc_address(rpc), "127.0.0.1:", 10), 0);
}
END_TEST

START_TEST(without_the_token_no_body_is_read)
{
    int fd = dial();

    say(fd, HEAD "Content-Length: 60000000\r\nExpect: 100-continue\r\n\r\n");
    assert_has(hear(fd), "HTTP/1.1 401 ");
    fd = dial();
    say(fd, HEAD "Content-Length: 60000000\r\n\r\n");
    assert_has(hear(fd), "HTTP/1.1 401 ");
    fd = dial();
    say(fd, HEAD "Content-Length: 5\r\n\r\nhello");
    assert_has(hear(fd), "HTTP/1.1 401 ");
}
END_TEST

/* Announces a large body and waits for the word to send it: -1 when there is no room
   for it, else the connection, which holds its room until it is closed. */
static int announce(const char *head)
{
    char line[] = "HTTP/1.1 ...";
    char *answer;
    int fd = dial();

    say(fd, head);
    ck_assert_int_eq(recv(fd, line, 12, MSG_WAITALL), 12);
    if (strcmp(line, "HTTP/1.1 100") == 0)
        return fd;
    ck_assert_str_eq(line, "HTTP/1.1 503");
    answer = hear(fd);
    ck_assert_ptr_nonnull(strstr(answer, "Retry-After: 1"));
    ck_assert_ptr_nonnull(strstr(answer, "\"code\":-32005"));
    free(answer);
    return -1;
}

START_TEST(large_bodies_are_bounded_together)
{
    char *head = xasprintf(HEAD "Authorization: Bearer %s\r\n"
                                "Content-Length: 67108864\r\n"
                                "Expect: 100-continue\r\n\r\n",
                           token);
    int held[4], again;

    for (size_t i = 0; i < 4; i++)
        ck_assert_int_ge(held[i] = announce(head), 0);
    ck_assert_int_eq(announce(head), -1);
    assert_status_is_answered(); /* small ones have room */
    for (size_t i = 0; i < 4; i++)
        (void)close(held[i]);
    while ((again = announce(head)) < 0)
        ; /* until the server saw them go */
    (void)close(again);
    free(head);
}
END_TEST

START_TEST(addresses_that_are_not_loopback_are_refused)
{
    static const char *const bad[] = {"0.0.0.0:0", "10.0.0.1:0", "[::]:0", "8.8.8.8:80",
                                      "[::ffff:10.0.0.1]:0"};
    static const char *const malformed[] = {
        "",  "127.0.0.1",    "127.0.0.1:",      "x", "localhost:0", "127.0.0.1:65536",
        ":", "127.0.0.1:-1", "::1:0",           "[", "[::1:0",      "[]:0",
        "]", "127.0.0.1:0 ", "127.0.0.1:123456"};
    struct rpc *other = NULL;
    struct err err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cfg.listen = bad[i];
        ck_assert_int_eq(rpc_start(&cfg, &fake, &other, &err), ERR_INVALID);
        ck_assert_msg(strstr(err.msg, "not a loopback address"), "%s", err.msg);
    }
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        cfg.listen = malformed[i];
        ck_assert_int_eq(rpc_start(&cfg, &fake, &other, &err), ERR_INVALID);
        ck_assert_msg(strstr(err.msg, "127.0.0.1:8645 or [::1]:8645 expected"), "%s",
                      err.msg);
    }
    cfg.listen = rpc_address(rpc); /* taken */
    ck_assert_int_eq(rpc_start(&cfg, &fake, &other, &err), ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.msg, rpc_address(rpc)));
    ck_assert_ptr_null(other);
}
END_TEST

START_TEST(ipv6_loopback_is_an_address)
{
    struct err err;

    stop();
    cfg.listen = "[::1]:0";
    if (rpc_start(&cfg, &fake, &rpc, &err) == ERR_OK)
        ck_assert_int_eq(strncmp(rpc_address(rpc), "[::1]:", 6), 0);
    else /* a machine without IPv6 */
        ck_assert_int_eq(err.code, ERR_IO);
}
END_TEST

/* --- waiting --- */
static int64_t put_job(void)
{
    char kind[] = "bootstrap", request[] = "{}";
    struct control_job j = {.state = JOB_FETCHING,
                            .kind = kind,
                            .request = request,
                            .created_ms = 1,
                            .updated_ms = 1};
    int64_t id;

    ASSERT_OK(control_job_insert(control, &j, &id, &test_err));
    return id;
}

static void end_job(int64_t id)
{
    struct control_job j = {0};

    ASSERT_OK(control_job_get(control, id, &j, &test_err));
    j.state = JOB_FAILED;
    j.ended_ms = 2;
    ASSERT_OK(control_job_update(control, &j, &test_err));
    control_job_fini(&j);
    fake_publish();
}

static int wait_for(int64_t id, unsigned timeout_ms)
{
    int fd = dial();
    char *body = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sync.wait\","
                           "\"params\":{\"job_id\":\"job-%d\",\"timeout_ms\":%u}}",
                           (int)id, timeout_ms);

    call(fd, body);
    free(body);
    return fd;
}

static bool is_silent(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

START_TEST(who_waits_hears_when_the_job_ends)
{
    int64_t one = put_job(), two = put_job();
    int fds[20];

    for (size_t i = 0; i < 20; i++)
        fds[i] = wait_for(i % 2 ? one : two, 600000);
    for (int i = 0; i < 20; i++) /* more than there are threads: none is held */
        assert_status_is_answered();
    end_job(one);
    for (size_t i = 1; i < 20; i += 2)
        assert_has(heard_body(fds[i]), "\"state\":\"failed\"");
    for (size_t i = 0; i < 20; i += 2)
        ck_assert(is_silent(fds[i]));
    end_job(two);
    for (size_t i = 0; i < 20; i += 2)
        assert_has(heard_body(fds[i]), "\"job_id\":\"job-2\"");
}
END_TEST

START_TEST(who_waits_hears_when_the_time_is_up)
{
    int64_t id = put_job(), begun = clock_mono_ms();
    int patient = wait_for(id, 600000), fd = wait_for(id, 250);

    assert_has(heard_body(fd), "\"state\":\"running\"");
    ck_assert_int_ge(clock_mono_ms() - begun, 250);
    ck_assert_int_lt(clock_mono_ms() - begun, 20000);
    ck_assert(is_silent(patient));
    (void)close(patient); /* gone before it is answered */
    end_job(id);
    assert_status_is_answered();
}
END_TEST

START_TEST(who_waits_hears_when_the_server_stops)
{
    int64_t id = put_job();
    int fds[10];

    for (size_t i = 0; i < 10; i++)
        fds[i] = wait_for(id, 600000);
    assert_status_is_answered();
    stop();
    for (size_t i = 0; i < 10; i++) {
        char *answer = hear(fds[i]);

        /* One that was not read yet when the server stopped is just closed. */
        if (answer[0] != '\0')
            ck_assert_msg(strstr(answer, "\"state\":\"running\""), "%s", answer);
        free(answer);
    }
}
END_TEST

START_TEST(slow_calls_hold_nobody_up)
{
    int fds[10];

    fake.blocked = true;
    fake.answer = "{\"accepted\":true}";
    for (size_t i = 0; i < 10; i++) {
        fds[i] = dial();
        call(fds[i],
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"checkpoint.evaluate\"}");
    }
    fake_await_calls(4); /* all threads there are for them */
    for (int i = 0; i < 20; i++)
        assert_status_is_answered();
    fake_unblock();
    for (size_t i = 0; i < 10; i++)
        assert_has(heard_body(fds[i]), "\"accepted\":true");
}
END_TEST

START_TEST(a_stop_is_answered_first)
{
    int fd = dial();
    char *body;

    call(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.stop\"}");
    body = heard_body(fd);
    ck_assert_str_eq(body,
                     "{\"jsonrpc\":\"2.0\",\"result\":{\"stopping\":true},\"id\":1}");
    free(body);
    stop();
    ck_assert_uint_eq(atomic_load(&stops), 1);
}
END_TEST

START_TEST(batches_are_answered_by_the_slow_threads_too)
{
    int fd = dial();

    call(fd, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"audit.verify\"},"
             "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"sync.status\"}]");
    assert_has(heard_body(fd), ",\"id\":2}]");
    fd = dial();
    call(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"audit.verify\"}");
    assert_has(heard_body(fd), "\"ok\":true,\"entries\":0");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("rpc_server");
    TCase *t = tcase_create("rpc_server");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, calls_are_answered);
    tcase_add_test(t, without_the_token_no_body_is_read);
    tcase_add_test(t, large_bodies_are_bounded_together);
    tcase_add_test(t, addresses_that_are_not_loopback_are_refused);
    tcase_add_test(t, ipv6_loopback_is_an_address);
    tcase_add_test(t, who_waits_hears_when_the_job_ends);
    tcase_add_test(t, who_waits_hears_when_the_time_is_up);
    tcase_add_test(t, who_waits_hears_when_the_server_stops);
    tcase_add_test(t, slow_calls_hold_nobody_up);
    tcase_add_test(t, a_stop_is_answered_first);
    tcase_add_test(t, batches_are_answered_by_the_slow_threads_too);
    suite_add_tcase(s, t);
    return s;
}
