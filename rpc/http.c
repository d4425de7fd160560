#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "rpc/http_impl.h"

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
    DRAIN_MS = 2000,
};

/* Bodies over BODY_SMALL held at once by all requests together; the others are few
   bytes and no more than there are connections. */
#define BODIES_MAX ((size_t)256 << 20)
#define BODY_SMALL ((size_t)64 << 10)

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static enum fault reserve_body(struct request *r, size_t len)
{
    size_t counted = len > BODY_SMALL ? len : 0;

    if (atomic_fetch_add(&r->http->bodies, counted) > BODIES_MAX - counted) {
        atomic_fetch_sub(&r->http->bodies, counted);
        return FAULT_OVERLOADED;
    }
    r->reserved = counted;
    r->body = BUF(len);
    return FAULT_NONE;
}

/* A wrong token may be one too many.  Who sent none has just not heard of them. */
static enum fault count_wrong(struct http *h, struct MHD_Connection *c,
                              const struct admit_head *head)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    if (!head->authorization || !info)
        return FAULT_TOKEN;
    metrics_add(METRIC_HTTP_WRONG_TOKENS, 1);
    return throttle_wrong(h->cfg.throttle, info->client_addr, clock_mono_ms())
               ? FAULT_RATE
               : FAULT_TOKEN;
}

static struct request *begin(struct http *h, struct MHD_Connection *c,
                             const struct admit_head *head)
{
    struct request *r = xcalloc(1, sizeof(*r));

    atomic_fetch_add(&h->active, 1);
    r->http = h;
    r->connection = c;
    r->deadline_mono_ms = clock_mono_ms() + REQUEST_MS_MAX;
    r->refused = admit_request(h->cfg.auth, head, &r->admitted);
    if (r->refused == FAULT_TOKEN)
        r->refused = count_wrong(h, c, head);
    if (r->refused == FAULT_NONE)
        r->refused = reserve_body(r, r->admitted.body_len);
    return r;
}

/* libmicrohttpd calls it with the head, with each piece of the body, and at its end. */
/* NOLINTNEXTLINE(readability-function-size): its parameters are the library's */
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
        return r->refused == FAULT_NONE || discard ? MHD_YES : http_answer_refusal(r);
    }
    if (*piece_len > 0) {
        if (r->refused == FAULT_NONE)
            buf_put(&r->body, piece, *piece_len);
        *piece_len = 0;
        return clock_mono_ms() < r->deadline_mono_ms ? MHD_YES : MHD_NO;
    }
    return http_answer(r);
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
