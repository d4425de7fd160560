#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/chan.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/peer/transfer.h"
#include "tests/unit/http_server.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define PART    "HTTP/1.1 206 Partial Content\r\n"

static const struct route routes[] = {
    {"/hello", OK_HEAD "Content-Length: 5\r\nETag: \"v1\"\r\n\r\nhello", ROUTE_KEEP},
    {"/packed", OK_HEAD "Content-Encoding: zstd\r\nContent-Length: 8\r\n\r\n(packed)",
     ROUTE_KEEP},
    {"/empty", OK_HEAD "Content-Length: 0\r\n\r\n", ROUTE_KEEP},
    {"/chunked",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
     ROUTE_KEEP},
    {"/unframed", OK_HEAD "\r\nto the end", ROUTE_CLOSE},
    {"/nothing-here", "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno such",
     ROUTE_KEEP},
    {"/busy",
     "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n",
     ROUTE_KEEP},
    {"/not-satisfiable",
     "HTTP/1.1 416 Nope\r\nContent-Range: bytes */5\r\nContent-Length: 3\r\n\r\nbad",
     ROUTE_KEEP},
    {"/short", OK_HEAD "Content-Length: 10\r\n\r\nhalf", ROUTE_CLOSE},
    {"/short-chunked", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n8\r\nhalf",
     ROUTE_CLOSE},
    {"/closes", "", ROUTE_CLOSE},
    {"/garbage", "this is no HTTP\r\n\r\n", ROUTE_CLOSE},
    {"/announced-big", OK_HEAD "Content-Length: 11\r\n\r\nhello there", ROUTE_CLOSE},
    {"/big", OK_HEAD "\r\nhello there", ROUTE_CLOSE},
    {"/endless", OK_HEAD "\r\n", ROUTE_DRIP},
    {"/silent", "", ROUTE_HOLD},
    {"/stalls", OK_HEAD "Content-Length: 10\r\n\r\nhalf", ROUTE_HOLD},
    {"/to-hello",
     "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 4\r\n\r\nmove",
     ROUTE_KEEP},
    {"/loop", "HTTP/1.1 301 Again\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
     ROUTE_KEEP},
    {"/to-file",
     "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
     ROUTE_KEEP},
    {"/to-credentials",
     "HTTP/1.1 302 Found\r\nLocation: http://u:p@127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
     ROUTE_KEEP},
    {"/to-private",
     "HTTP/1.1 302 Found\r\nLocation: http://127.9.9.9:1/\r\nContent-Length: 0\r\n\r\n",
     ROUTE_KEEP},
    {"/rest-from-2",
     PART "Content-Range: bytes 2-4/5\r\nETag: \"v1\"\r\nContent-Length: 3\r\n\r\nllo",
     ROUTE_KEEP},
    {"/rest-changed",
     PART "Content-Range: bytes 2-4/5\r\nETag: \"v2\"\r\nContent-Length: 3\r\n\r\nllo",
     ROUTE_KEEP},
    {"/rest-shifted", PART "Content-Range: bytes 3-4/5\r\nContent-Length: 2\r\n\r\nlo",
     ROUTE_KEEP},
    {"/rest-unsaid", PART "Content-Length: 3\r\n\r\nllo", ROUTE_KEEP},
    {"/rest-short", PART "Content-Range: bytes 2-4/5\r\n\r\nl", ROUTE_CLOSE},
    {"/last-3", PART "Content-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\nllo",
     ROUTE_KEEP},
    {NULL, NULL, ROUTE_CLOSE},
};

static struct http_server server;
static struct chan *results;
static struct transfer *transfer;
static char dir[] = "/tmp/check_transfer.XXXXXX";
static char file[64];

static void give(void *arg, struct transfer_request *r)
{
    ck_assert(chan_send(arg, r));
}

static void start_transfer(const char *const *allow)
{
    const struct transfer_config cfg = {.max_connections = 4,
                                        .max_per_host = 2,
                                        .user_agent = "cairn-test/1",
                                        .allow_networks = allow};

    ASSERT_OK(transfer_start(&cfg, give, results, &transfer, &test_err));
}

static void setup(void)
{
    results = chan_create(TRANSFER_OUTSTANDING_MAX);
    server_start(&server, routes);
    start_transfer(NULL);
    strncpy(dir + strlen(dir) - 6, "XXXXXX", 7);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(file, sizeof(file), "%s/f", dir);
}

static void teardown(void)
{
    transfer_stop(transfer);
    server_stop(&server);
    chan_free(results);
    (void)unlink(file);
    (void)rmdir(dir);
}

static struct transfer_request *request(const char *host, const char *path)
{
    AUTOFREE char *url = xasprintf("http://%s:%u%s", host, server.port, path);
    struct transfer_request *r = transfer_request_new(url);

    r->max_bytes = 1000;
    r->timeout_ms = 20000;
    r->connect_timeout_ms = 5000;
    return r;
}

static struct transfer_request *get(const char *path)
{
    return request("127.0.0.1", path);
}

static struct transfer_request *to_file(const char *path, uint64_t offset)
{
    struct transfer_request *r = get(path);

    r->path = xstrdup(file);
    r->offset = offset;
    return r;
}

static struct transfer_request *await(struct transfer_request *r)
{
    struct transfer_request *back;

    transfer_submit(transfer, r);
    back = chan_recv_for(results, 15000);
    ck_assert_ptr_eq(back, r);
    return back;
}

static void put_file(const char *text)
{
    FILE *f = fopen(file, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    (void)fclose(f);
}

static void assert_file(const char *text)
{
    char got[64] = "";
    FILE *f = fopen(file, "r");

    ck_assert_msg(f != NULL, "there is no file");
    got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
    (void)fclose(f);
    ck_assert_str_eq(got, text);
}

static void assert_fails(struct transfer_request *r, enum reason reason,
                         const char *text)
{
    CLEANUP(transfer_request_free) struct transfer_request *back = await(r);

    ck_assert_msg(back->err.reason == reason && strstr(back->err.msg, text),
                  "%s: %s: %s", back->url, reason_code(back->err.reason),
                  back->err.msg);
    ck_assert_int_ne(back->err.code, ERR_OK);
    ck_assert_ptr_null(back->body);
}

static void assert_body(struct transfer_request *r, long status, const char *body)
{
    CLEANUP(transfer_request_free) struct transfer_request *back = await(r);

    ck_assert_msg(back->err.code == ERR_OK, "%s: %s", back->url, back->err.msg);
    ck_assert_int_eq(back->status, status);
    ck_assert_str_eq(back->body, body);
    ck_assert_uint_eq(back->body_len, strlen(body));
}

START_TEST(an_answer_comes_with_everything_it_said)
{
    CLEANUP(transfer_request_free) struct transfer_request *r = await(get("/hello"));

    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert_int_eq(r->status, 200);
    ck_assert_str_eq(r->body, "hello");
    ck_assert_uint_eq(r->body_len, 5);
    ck_assert_uint_eq(r->total, 5);
    ck_assert_uint_eq(atomic_load(&r->received), 5);
    ck_assert_str_eq(r->ip, "127.0.0.1");
    ck_assert(!r->resumed);
    ck_assert_ptr_nonnull(strstr(server.last_head, "User-Agent: cairn-test/1\r\n"));
    ck_assert_ptr_null(strcasestr(server.last_head, "Accept-Encoding"));
    ck_assert_ptr_null(strcasestr(server.last_head, "Range"));
}
END_TEST

START_TEST(a_packed_answer_is_asked_for_and_stays_packed)
{
    CLEANUP(transfer_request_free) struct transfer_request *r = get("/packed");

    r->accept_zstd = true;
    (void)await(r);
    ck_assert_int_eq(r->err.code, ERR_OK);
    ck_assert_str_eq(r->body, "(packed)");
    ck_assert_ptr_nonnull(strstr(server.last_head, "Accept-Encoding: zstd\r\n"));
}
END_TEST

START_TEST(bodies_are_framed_by_length_chunks_or_close)
{
    assert_body(get("/empty"), 200, "");
    assert_body(get("/chunked"), 200, "abcde");
    assert_body(get("/unframed"), 200, "to the end");
}
END_TEST

START_TEST(a_status_that_is_no_success_is_an_answer_too)
{
    CLEANUP(transfer_request_free) struct transfer_request *busy = NULL;

    assert_body(get("/nothing-here"), 404, "no such");
    busy = await(get("/busy"));
    ck_assert_int_eq(busy->err.code, ERR_OK);
    ck_assert_int_eq(busy->status, 429);
    ck_assert_uint_eq(busy->retry_after_s, 17);
}
END_TEST

START_TEST(an_error_page_is_cut_and_never_written_to_the_file)
{
    put_file("keep");
    assert_body(to_file("/nothing-here", 0), 404, "no such");
    assert_file("keep");
    assert_body(to_file("/not-satisfiable", 4), 416, "bad");
    assert_file("keep");
}
END_TEST

START_TEST(connections_are_kept_and_used_again)
{
    for (int i = 0; i < 5; i++)
        assert_body(get("/hello"), 200, "hello");
    ck_assert_uint_eq(atomic_load(&server.requests), 5);
    ck_assert_uint_eq(server.connections, 1);
}
END_TEST

START_TEST(a_body_that_ends_early_is_no_answer)
{
    assert_fails(get("/short"), REASON_SOURCE_UNREACHABLE, "ended early");
    assert_fails(get("/short-chunked"), REASON_SOURCE_UNREACHABLE, "ended early");
    assert_fails(get("/closes"), REASON_SOURCE_UNREACHABLE, "Empty reply");
    assert_fails(get("/garbage"), REASON_SOURCE_UNREACHABLE, "HTTP");
    put_file("he");
    assert_fails(to_file("/rest-short", 2), REASON_SOURCE_UNREACHABLE, "1 of 3 bytes");
}
END_TEST

START_TEST(nobody_there_says_so)
{
    struct transfer_request *r = transfer_request_new("http://127.0.0.1:1/");

    r->max_bytes = 10;
    assert_fails(r, REASON_SOURCE_UNREACHABLE, "127.0.0.1");
}
END_TEST

START_TEST(a_body_is_held_to_max_bytes)
{
    static const char *const paths[] = {"/announced-big", "/big", "/endless"};
    struct transfer_request *exact = get("/big");

    for (size_t i = 0; i < 3; i++) {
        struct transfer_request *r = get(paths[i]);

        r->max_bytes = 10;
        assert_fails(r, REASON_PAYLOAD_TOO_LARGE, "10");
    }
    exact->max_bytes = 11;
    assert_body(exact, 200, "hello there");
}
END_TEST

START_TEST(a_file_too_large_is_refused_before_the_old_one_is_lost)
{
    struct transfer_request *r = to_file("/announced-big", 2);

    put_file("keep");
    r->max_bytes = 10;
    assert_fails(r, REASON_PAYLOAD_TOO_LARGE, "11 bytes");
    assert_file("keep");
    r = to_file("/rest-from-2", 2);
    r->max_bytes = 4;
    assert_fails(r, REASON_PAYLOAD_TOO_LARGE, "5 bytes");
    assert_file("keep");
}
END_TEST

START_TEST(a_file_is_made_anew_from_offset_0)
{
    CLEANUP(transfer_request_free) struct transfer_request *r = NULL;
    struct stat st;

    put_file("something longer that was here");
    r = await(to_file("/hello", 0));
    ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
    ck_assert_ptr_null(r->body);
    ck_assert_uint_eq(atomic_load(&r->received), 5);
    assert_file("hello");
    (void)unlink(file);
    transfer_request_free(await(to_file("/empty", 0)));
    assert_file("");
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_tag_lies_beside_the_body_it_is_of)
{
    AUTOFREE char *tag = xasprintf("%s.etag", file);
    struct transfer_request *r = to_file("/hello", 0);
    char text[16] = "";
    FILE *f;

    r->etag_path = xstrdup(tag);
    transfer_request_free(await(r));
    f = fopen(tag, "re");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
    (void)fclose(f);
    ck_assert_str_eq(text, "\"v1\"");
    r = to_file("/empty", 0); /* has none: the old one must not stay */
    r->etag_path = xstrdup(tag);
    transfer_request_free(await(r));
    ck_assert_int_ne(access(tag, F_OK), 0);
}
END_TEST

START_TEST(a_resume_appends_the_rest)
{
    CLEANUP(transfer_request_free)
    struct transfer_request *r = to_file("/rest-from-2", 2);

    put_file("heXXXXXXXX"); /* what lies past the offset is not trusted */
    r->etag = xstrdup("\"v1\"");
    (void)await(r);
    ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
    ck_assert_int_eq(r->status, 206);
    ck_assert(r->resumed);
    ck_assert_uint_eq(r->total, 5);
    ck_assert_uint_eq(atomic_load(&r->received), 3);
    assert_file("hello");
    ck_assert_ptr_nonnull(strstr(server.last_head, "Range: bytes=2-\r\n"));
    ck_assert_ptr_nonnull(strstr(server.last_head, "If-Range: \"v1\"\r\n"));
}
END_TEST

START_TEST(a_weak_tag_is_compared_but_not_sent)
{
    CLEANUP(transfer_request_free)
    struct transfer_request *r = to_file("/rest-from-2", 2);

    put_file("he");
    r->etag = xstrdup("W/\"v1\"");
    (void)await(r);
    ck_assert_int_eq(r->err.reason, REASON_SOURCE_CHANGED);
    ck_assert_ptr_nonnull(strstr(server.last_head, "Range: bytes=2-\r\n"));
    ck_assert_ptr_null(strstr(server.last_head, "If-Range"));
}
END_TEST

START_TEST(a_whole_answer_to_a_resume_starts_the_file_anew)
{
    CLEANUP(transfer_request_free) struct transfer_request *r = NULL;

    put_file("other");
    r = await(to_file("/hello", 3));
    ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
    ck_assert_int_eq(r->status, 200);
    ck_assert(!r->resumed);
    assert_file("hello");
}
END_TEST

START_TEST(a_part_that_was_not_asked_for_changes_nothing)
{
    struct transfer_request *r = to_file("/rest-changed", 2);

    put_file("he");
    r->etag = xstrdup("\"v1\"");
    assert_fails(r, REASON_SOURCE_CHANGED, "another version");
    assert_fails(to_file("/rest-shifted", 2), REASON_SOURCE_CHANGED, "bytes 3 to 4");
    assert_fails(to_file("/rest-unsaid", 2), REASON_SOURCE_CHANGED,
                 "does not say which");
    assert_fails(to_file("/rest-from-2", 0), REASON_SOURCE_UNREACHABLE,
                 "not asked for");
    assert_file("he");
    assert_fails(to_file("/rest-from-2", 4), REASON_SOURCE_CHANGED, "bytes 2 to 4");
    r = to_file("/rest-from-2", 2);
    put_file("h");
    assert_fails(r, REASON_STORAGE_FAILED, "1 bytes, resume at 2");
    assert_file("h");
}
END_TEST

START_TEST(ranges_go_to_memory)
{
    struct transfer_request *r = get("/last-3");

    r->has_range = true;
    r->range_from = UINT64_MAX;
    r->range_to = 3;
    assert_body(r, 206, "llo");
    ck_assert_ptr_nonnull(strstr(server.last_head, "Range: bytes=-3\r\n"));
    r = get("/last-3");
    r->has_range = true;
    r->range_from = 2;
    r->range_to = 4;
    assert_body(r, 206, "llo");
    ck_assert_ptr_nonnull(strstr(server.last_head, "Range: bytes=2-4\r\n"));
    r = get("/last-3");
    r->has_range = true;
    r->range_from = 2;
    r->range_to = 3;
    assert_fails(r, REASON_SOURCE_CHANGED, "bytes 2 to 4");
    r = get("/last-3");
    r->has_range = true;
    r->range_from = UINT64_MAX;
    r->range_to = 2;
    assert_fails(r, REASON_SOURCE_CHANGED, "bytes 2 to 4");
}
END_TEST

START_TEST(a_full_disk_is_named)
{
    struct transfer_request *r = get("/hello");

    r->path = xstrdup("/dev/full");
    assert_fails(r, REASON_DISK_FULL, "No space left");
    r = get("/hello");
    r->path = xstrdup("/nonexistent/f");
    assert_fails(r, REASON_STORAGE_FAILED, "/nonexistent/f");
}
END_TEST

START_TEST(silence_times_out)
{
    struct transfer_request *r = get("/silent");

    r->timeout_ms = 150;
    assert_fails(r, REASON_PEER_TIMEOUT, "timed out");
    r = get("/stalls");
    r->timeout_ms = 150;
    r->min_speed = 1000;
    r->min_speed_seconds = 60;
    assert_fails(r, REASON_PEER_TIMEOUT, "timed out");
}
END_TEST

START_TEST(a_source_below_min_speed_is_given_up)
{
    struct transfer_request *r = get("/endless");

    r->max_bytes = 1 << 20;
    r->timeout_ms = 0;
    r->min_speed = 10000;
    r->min_speed_seconds = 1;
    assert_fails(r, REASON_SOURCE_TOO_SLOW, "10000 bytes a second");
}
END_TEST

START_TEST(redirects_are_followed_within_bounds)
{
    struct transfer_request *r = get("/to-hello");

    r->max_redirects = 1;
    assert_body(r, 200, "hello");
    assert_fails(get("/to-hello"), REASON_SOURCE_UNREACHABLE, "more than 0 redirects");
    r = get("/loop");
    r->max_redirects = 5;
    assert_fails(r, REASON_SOURCE_UNREACHABLE, "more than 5 redirects");
}
END_TEST

START_TEST(redirects_lead_nowhere_but_to_http)
{
    struct transfer_request *r = get("/to-file");

    r->max_redirects = 3;
    assert_fails(r, REASON_SOURCE_FORBIDDEN, "http:// or https://");
    r = get("/to-credentials");
    r->max_redirects = 3;
    assert_fails(r, REASON_SOURCE_FORBIDDEN, "credentials");
}
END_TEST

START_TEST(only_http_urls_are_asked)
{
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/",
                                       "nonsense", "http://u@127.0.0.1/"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        assert_fails(transfer_request_new(urls[i]), REASON_INVALID, "");
}
END_TEST

START_TEST(what_a_peer_names_does_not_lead_home)
{
    struct transfer_request *r = get("/hello");

    r->hostile = true;
    assert_fails(r, REASON_SOURCE_FORBIDDEN, "127.0.0.1");
    ck_assert_uint_eq(server.connections, 0);
    r = request("localhost", "/hello");
    r->hostile = true;
    assert_fails(r, REASON_SOURCE_FORBIDDEN, "local address");
    ck_assert_uint_eq(server.connections, 0);
}
END_TEST

START_TEST(not_even_over_a_connection_that_is_open)
{
    struct transfer_request *r;

    assert_body(get("/hello"), 200, "hello");
    r = get("/hello");
    r->hostile = true;
    assert_fails(r, REASON_SOURCE_FORBIDDEN, "127.0.0.1");
    ck_assert_uint_eq(atomic_load(&server.requests), 1);
}
END_TEST

START_TEST(allowed_networks_are_reached_and_no_other_by_redirect)
{
    static const char *const allow[] = {"127.0.0.0/16", NULL};
    struct transfer_request *r;

    transfer_stop(transfer);
    start_transfer(allow);
    r = get("/hello");
    r->hostile = true;
    assert_body(r, 200, "hello");
    r = get("/to-private");
    r->hostile = true;
    r->max_redirects = 3;
    assert_fails(r, REASON_SOURCE_FORBIDDEN, "127.9.9.9");
    r = request("127.1.0.1", "/hello");
    r->hostile = true;
    assert_fails(r, REASON_SOURCE_FORBIDDEN, "127.1.0.1");
}
END_TEST

START_TEST(networks_that_are_none_are_refused_at_the_start)
{
    static const char *const allow[] = {"127.0.0.0/33", NULL};
    const struct transfer_config cfg = {.max_connections = 1,
                                        .max_per_host = 1,
                                        .user_agent = "",
                                        .allow_networks = allow};
    struct transfer *t = NULL;

    ASSERT_ERR(ERR_INVALID, transfer_start(&cfg, give, results, &t, &test_err));
    ck_assert_str_eq(test_err.msg, "127.0.0.0/33 is no network");
    ck_assert_ptr_null(t);
}
END_TEST

START_TEST(a_cancelled_request_comes_back_at_once)
{
    struct transfer_request *r[4];
    int64_t before;

    for (size_t i = 0; i < 4; i++) { /* two run, two wait for their host */
        r[i] = get("/silent");
        transfer_submit(transfer, r[i]);
    }
    while (atomic_load(&server.requests) < 2)
        (void)poll(NULL, 0, 1);
    before = clock_mono_ms();
    for (size_t i = 0; i < 4; i++)
        atomic_store(&r[i]->cancel, true);
    transfer_wake(transfer);
    for (size_t i = 0; i < 4; i++) {
        struct transfer_request *back = chan_recv_for(results, 15000);

        ck_assert_ptr_nonnull(back);
        ck_assert_int_eq(back->err.code, ERR_CANCELED);
        transfer_request_free(back);
    }
    ck_assert_int_lt(clock_mono_ms() - before, 400);
    ck_assert_uint_eq(atomic_load(&server.requests), 2);
}
END_TEST

START_TEST(stopping_hands_everything_back)
{
    enum { N = 20 };

    for (size_t i = 0; i < N; i++)
        transfer_submit(transfer, get("/silent"));
    transfer_stop(transfer);
    transfer = NULL;
    for (size_t i = 0; i < N; i++) {
        struct transfer_request *back = chan_recv_for(results, 0);

        ck_assert_ptr_nonnull(back);
        ck_assert_int_eq(back->err.code, ERR_CANCELED);
        transfer_request_free(back);
    }
}
END_TEST

START_TEST(a_host_gets_few_connections_and_others_do_not_wait_for_it)
{
    enum { HELD = 4 }; /* as many as may run at all */
    struct transfer_request *held[HELD], *other;

    for (size_t i = 0; i < HELD; i++) {
        held[i] = get("/silent");
        transfer_submit(transfer, held[i]);
    }
    other = request("127.0.0.2", "/hello");
    assert_body(other, 200, "hello");
    ck_assert_uint_le(atomic_load(&server.open_most), 3); /* two and one */
    for (size_t i = 0; i < HELD; i++)
        atomic_store(&held[i]->cancel, true);
    transfer_wake(transfer);
    for (size_t i = 0; i < HELD; i++)
        transfer_request_free(chan_recv_for(results, 15000));
}
END_TEST

START_TEST(many_requests_all_come_back)
{
    enum { N = 500 };
    unsigned good = 0;

    for (int i = 0; i < N; i++)
        transfer_submit(transfer, get(i % 5 == 4 ? "/nothing-here" : "/hello"));
    for (int i = 0; i < N; i++) {
        CLEANUP(transfer_request_free)
        struct transfer_request *r = chan_recv_for(results, 15000);

        ck_assert_ptr_nonnull(r);
        ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
        good += r->status == 200 && strcmp(r->body, "hello") == 0;
    }
    ck_assert_uint_eq(good, N * 4 / 5);
    ck_assert_uint_le(atomic_load(&server.open_most), 2);
}
END_TEST

START_TEST(an_endless_error_page_ends)
{
    CLEANUP(transfer_request_free) struct transfer_request *r = get("/hello");
    AUTOFREE char *page = xcalloc(1, 6000);
    AUTOFREE char *answer = NULL;
    struct route big[] = {{"/page", NULL, ROUTE_HOLD}, {NULL, NULL, ROUTE_CLOSE}};
    struct http_server other;

    memset(page, 'e', 5999);
    answer = xasprintf("HTTP/1.1 500 Oh\r\n\r\n%s", page);
    big[0].answer = answer;
    server_start(&other, big);
    free(r->url);
    r->url = xasprintf("http://127.0.0.1:%u/page", other.port);
    (void)await(r);
    ck_assert_msg(r->err.code == ERR_OK, "%s", r->err.msg);
    ck_assert_int_eq(r->status, 500);
    ck_assert_uint_eq(r->body_len, 4096);
    server_stop(&other);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("transfer");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_answer_comes_with_everything_it_said);
    tcase_add_test(tc, a_packed_answer_is_asked_for_and_stays_packed);
    tcase_add_test(tc, bodies_are_framed_by_length_chunks_or_close);
    tcase_add_test(tc, a_status_that_is_no_success_is_an_answer_too);
    tcase_add_test(tc, an_error_page_is_cut_and_never_written_to_the_file);
    tcase_add_test(tc, connections_are_kept_and_used_again);
    tcase_add_test(tc, a_body_that_ends_early_is_no_answer);
    tcase_add_test(tc, nobody_there_says_so);
    tcase_add_test(tc, a_body_is_held_to_max_bytes);
    tcase_add_test(tc, a_file_too_large_is_refused_before_the_old_one_is_lost);
    tcase_add_test(tc, a_file_is_made_anew_from_offset_0);
    tcase_add_test(tc, a_tag_lies_beside_the_body_it_is_of);
    tcase_add_test(tc, a_resume_appends_the_rest);
    tcase_add_test(tc, a_weak_tag_is_compared_but_not_sent);
    tcase_add_test(tc, a_whole_answer_to_a_resume_starts_the_file_anew);
    tcase_add_test(tc, a_part_that_was_not_asked_for_changes_nothing);
    tcase_add_test(tc, ranges_go_to_memory);
    tcase_add_test(tc, a_full_disk_is_named);
    tcase_add_test(tc, silence_times_out);
    tcase_add_test(tc, a_source_below_min_speed_is_given_up);
    tcase_add_test(tc, redirects_are_followed_within_bounds);
    tcase_add_test(tc, redirects_lead_nowhere_but_to_http);
    tcase_add_test(tc, only_http_urls_are_asked);
    tcase_add_test(tc, what_a_peer_names_does_not_lead_home);
    tcase_add_test(tc, not_even_over_a_connection_that_is_open);
    tcase_add_test(tc, allowed_networks_are_reached_and_no_other_by_redirect);
    tcase_add_test(tc, networks_that_are_none_are_refused_at_the_start);
    tcase_add_test(tc, a_cancelled_request_comes_back_at_once);
    tcase_add_test(tc, stopping_hands_everything_back);
    tcase_add_test(tc, a_host_gets_few_connections_and_others_do_not_wait_for_it);
    tcase_add_test(tc, many_requests_all_come_back);
    tcase_add_test(tc, an_endless_error_page_ends);
    suite_add_tcase(s, tc);
    return s;
}
