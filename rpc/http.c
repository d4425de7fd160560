#include <microhttpd.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/chan.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "rpc/admit.h"
#include "rpc/http.h"
#include "rpc/jsonrpc.h"
#include "rpc/out.h"
#include "rpc/slow.h"

enum {
    THREADS = 4,
    CONNECTIONS_MAX = 128,
    CONNECTIONS_PER_IP_MAX = 64,
    IDLE_SECONDS = 30,
    CONNECTION_MEMORY = 128 << 10,
    REQUEST_MS_MAX = 120000, /* from its head to the last byte of its body */
    /* A refused request whose body is no larger is read to its end, so that the client
       sees the answer and not a reset connection. */
    DISCARD_MAX = 64 << 10,
    METRICS_MAX = 1 << 20,
    DRAIN_MS = 2000,
};

/* Bodies held at once by all requests together. */
#define BODIES_MAX ((size_t)256 << 20)

struct http {
    struct http_config cfg;
    struct MHD_Daemon *daemon;
    int listen_fd;        /* ours again once quiesced */
    atomic_size_t bodies; /* bytes declared by requests under way */
    atomic_size_t active; /* requests under way */
    atomic_bool stopping;
    struct slow *slow;
    struct chan *drained; /* an item when the last request ended while stopping */
};

/* One HTTP request, from its head to the end of its answer. */
struct request {
    struct wait_item wait; /* first: wait_done gets it back */
    struct slow_item slow;
    struct http *http;
    struct MHD_Connection *connection;
    enum admit_path path;
    enum fault refused;
    int64_t deadline_mono_ms;
    size_t reserved; /* of bodies */
    struct buf body, answer;
    bool waited, deferred;
    bool stop;
};

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static enum fault reserve_body(struct request *r, size_t len)
{
    if (atomic_fetch_add(&r->http->bodies, len) > BODIES_MAX - len) {
        atomic_fetch_sub(&r->http->bodies, len);
        return FAULT_OVERLOADED;
    }
    r->reserved = len;
    r->body = BUF(len);
    return FAULT_NONE;
}

static struct request *begin(struct http *h, struct MHD_Connection *c,
                             const struct admit_head *head)
{
    struct request *r = xcalloc(1, sizeof(*r));
    size_t body_len = 0;

    atomic_fetch_add(&h->active, 1);
    r->http = h;
    r->connection = c;
    r->deadline_mono_ms = clock_mono_ms() + REQUEST_MS_MAX;
    r->refused = admit_request(h->cfg.auth, head, &r->path, &body_len);
    if (r->refused == FAULT_NONE)
        r->refused = reserve_body(r, body_len);
    return r;
}

/* Takes text. */
static enum MHD_Result send_text(struct request *r, unsigned status, const char *type,
                                 char *text, size_t len)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result rc;

    if (!response) {
        free(text);
        return MHD_NO;
    }
    if (len > 0)
        MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (r->refused == FAULT_TOKEN)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (r->refused == FAULT_VERB)
        MHD_add_response_header(response, "Allow",
                                r->path == ADMIT_RPC ? "POST" : "GET");
    if (r->refused == FAULT_OVERLOADED)
        MHD_add_response_header(response, "Retry-After", "1");
    rc = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result send_json(struct request *r, unsigned status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    cJSON_Delete(json);
    return send_text(r, status, "application/json", text, strlen(text));
}

static enum MHD_Result refuse(struct request *r)
{
    char *text = fault_answer(r->refused);

    metrics_add(METRIC_HTTP_REFUSED, 1);
    log_debug("http request refused", KV_U("status", fault_http_status(r->refused)));
    return send_text(r, fault_http_status(r->refused), "application/json", text,
                     strlen(text));
}

static enum MHD_Result send_health(struct request *r)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddBoolToObject(json, "ok", true);
    return send_json(r, MHD_HTTP_OK, json);
}

static enum MHD_Result send_ready(struct request *r)
{
    cJSON *json = cJSON_CreateObject();
    struct engine_status s;

    engine_status(r->http->cfg.ctx.engine, &s);
    cJSON_AddBoolToObject(json, "ready", s.ready);
    out_text(json, "state", engine_state_name(s.state));
    out_text(json, "why", s.ready ? NULL : s.ready_why);
    return send_json(r, s.ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, json);
}

static enum MHD_Result send_metrics(struct request *r)
{
    struct buf CLEANUP_BUF text = BUF(METRICS_MAX);
    size_t len;

    metrics_write(&text);
    len = text.len;
    return send_text(r, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                     buf_take(&text), len);
}

/* On the waiting thread: the call is made again, on its own. */
static void wait_done(struct wait_item *item)
{
    struct request *r = (struct request *)item;

    MHD_resume_connection(r->connection);
}

static enum MHD_Result suspend(struct request *r, const struct rpc_ctx *ctx)
{
    r->waited = true;
    r->wait = (struct wait_item){
        .job_id = ctx->wait_job,
        .until_mono_ms = clock_mono_ms() + ctx->wait_ms,
        .done = wait_done,
    };
    MHD_suspend_connection(r->connection);
    if (!waits_add(r->http->cfg.waits, &r->wait)) /* stopping: answered as it is */
        MHD_resume_connection(r->connection);
    return MHD_YES;
}

static enum jsonrpc_outcome run_call(struct request *r, struct rpc_ctx *ctx)
{
    struct span body = {r->body.data ? r->body.data : "", r->body.len};
    enum jsonrpc_outcome outcome;

    r->answer = BUF(JSONRPC_ANSWER_MAX);
    outcome = jsonrpc_answer(ctx, body, &r->answer);
    r->stop = ctx->stop;
    return outcome;
}

/* On a thread for slow calls. */
static void run_slow(struct slow_item *item)
{
    struct request *r =
        (struct request *)(void *)((char *)item - offsetof(struct request, slow));
    struct rpc_ctx ctx = r->http->cfg.ctx;

    (void)run_call(r, &ctx); /* may neither wait nor defer: answered */
    MHD_resume_connection(r->connection);
}

static enum MHD_Result defer(struct request *r)
{
    r->deferred = true;
    r->slow.run = run_slow;
    MHD_suspend_connection(r->connection);
    if (!slow_add(r->http->slow,
                  &r->slow)) /* stopping: nobody else needs this thread */
        run_slow(&r->slow);
    return MHD_YES;
}

static enum MHD_Result send_answer(struct request *r)
{
    size_t len = r->answer.len;

    if (len == 0) /* notifications only */
        return send_text(r, MHD_HTTP_NO_CONTENT, NULL, xstrdup(""), 0);
    return send_text(r, MHD_HTTP_OK, "application/json", buf_take(&r->answer), len);
}

static enum MHD_Result call(struct request *r)
{
    struct rpc_ctx ctx = r->http->cfg.ctx;

    if (r->deferred)
        return send_answer(r);
    ctx.may_wait = !r->waited;
    ctx.may_defer = true;
    switch (run_call(r, &ctx)) {
    case JSONRPC_ANSWERED:
        return send_answer(r);
    case JSONRPC_WAIT:
        return suspend(r, &ctx);
    case JSONRPC_DEFER:
        return defer(r);
    }
    return MHD_NO;
}

static enum MHD_Result respond(struct request *r)
{
    switch (r->path) {
    case ADMIT_RPC:
        return call(r);
    case ADMIT_HEALTHZ:
        return send_health(r);
    case ADMIT_READYZ:
        return send_ready(r);
    case ADMIT_METRICS:
        return send_metrics(r);
    }
    return MHD_NO;
}

/* libmicrohttpd calls it with the head, with each piece of the body, and at its end. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version,
                                  const char *piece, size_t *piece_len, void **state)
{
    struct request *r = *state;

    (void)version;
    if (!r) {
        struct admit_head head = {
            .method = method,
            .path = url,
            .host = header(c, "Host"),
            .origin = header(c, "Origin"),
            .authorization = header(c, "Authorization"),
            .content_type = header(c, "Content-Type"),
            .content_length = header(c, "Content-Length"),
            .transfer_encoding = header(c, "Transfer-Encoding"),
        };
        size_t len;
        bool discard = !head.transfer_encoding &&
                       admit_length(head.content_length, &len) && len <= DISCARD_MAX;

        *state = r = begin(cls, c, &head);
        return r->refused == FAULT_NONE || discard ? MHD_YES : refuse(r);
    }
    if (*piece_len > 0) {
        if (r->refused == FAULT_NONE)
            buf_put(&r->body, piece, *piece_len);
        *piece_len = 0;
        return clock_mono_ms() < r->deadline_mono_ms ? MHD_YES : MHD_NO;
    }
    return r->refused == FAULT_NONE ? respond(r) : refuse(r);
}

/* The answer went out, or its connection is gone. */
static void on_completed(void *cls, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct http *h = cls;
    struct request *r = *state;

    (void)c;
    (void)code;
    if (!r)
        return;
    if (r->stop)
        h->cfg.ctx.cfg->stop(h->cfg.ctx.cfg->stop_arg);
    atomic_fetch_sub(&h->bodies, r->reserved);
    buf_fini(&r->body);
    buf_fini(&r->answer);
    free(r);
    *state = NULL;
    if (atomic_fetch_sub(&h->active, 1) == 1 && atomic_load(&h->stopping) &&
        !chan_try_send(h->drained, h))
        log_debug("http server drained twice");
}

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *fmt,
                                                         va_list ap)
{
    char line[256];

    (void)cls;
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    log_debug("http server", KV_S("detail", line));
}

enum errc http_start(const struct http_config *cfg, struct http **out, struct err *err)
{
    struct http *h = xcalloc(1, sizeof(*h));

    h->cfg = *cfg;
    h->listen_fd = -1;
    h->drained = chan_create(1);
    h->slow = slow_create();
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, cfg->fd, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_IP_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_END);
    if (!h->daemon) {
        slow_stop(h->slow);
        slow_free(h->slow);
        chan_free(h->drained);
        free(h);
        return err_set(err, ERR_IO, "the HTTP server does not start");
    }
    *out = h;
    return ERR_OK;
}

void http_quiesce(struct http *h)
{
    h->listen_fd = MHD_quiesce_daemon(h->daemon);
}

void http_stop(struct http *h)
{
    if (!h)
        return;
    atomic_store(&h->stopping, true);
    slow_stop(h->slow);
    if (atomic_load(&h->active) > 0)
        (void)chan_recv_for(h->drained, DRAIN_MS); /* what is left is cut off */
    MHD_stop_daemon(h->daemon);
    slow_free(h->slow);
    if (h->listen_fd >= 0)
        (void)close(h->listen_fd);
    while (chan_recv_for(h->drained, 0))
        ; /* a request may have ended since */
    chan_free(h->drained);
    free(h);
}
