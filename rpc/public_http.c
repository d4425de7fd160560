#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "rpc/public_http_impl.h"

enum {
    THREADS = 4,
    CONNECTIONS_MAX = 512,
    CONNECTIONS_PER_CLIENT = 32,
    IDLE_SECONDS = 30,
    CONNECTION_MEMORY = 32 << 10, /* head of a request; longer ones are refused */
    ALL_CLIENTS = 8, /* of one client's requests and bytes, for all together */
};

#define HELD_BY_ONE ((uint64_t)24 << 20)
#define HELD_BY_ALL ((uint64_t)128 << 20)

const struct sockaddr *public_http_client(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info ? info->client_addr : NULL;
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *from, socklen_t len)
{
    struct public_http *h = cls;

    (void)len;
    return budget_room(h->budget, from) ? MHD_YES : MHD_NO;
}

/* *state is set for a connection that is one too many. */
static void on_connection(void *cls, struct MHD_Connection *c, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    struct public_http *h = cls;
    const struct sockaddr *from = public_http_client(c);

    if (!from)
        return;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
        budget_disconnected(h->budget, from);
    else if (!budget_connected(h->budget, from))
        *state = h;
}

static bool is_too_many(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return !info || info->socket_context;
}

static const char *query_value(void *arg, const char *name)
{
    const char *value = NULL;
    enum MHD_Result rc;
    size_t len;

    rc = MHD_lookup_connection_value_n(arg, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                                       &value, &len);
    return rc == MHD_YES ? (value && strlen(value) == len ? value : "") : NULL;
}

static enum MHD_Result answer(struct public_http *h, struct MHD_Connection *c,
                              const char *path, bool whole)
{
    const struct public_ask ask = {
        .path = path,
        .value = query_value,
        .arg = c,
        .known = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-None-Match"),
        .range =
            whole ? NULL : MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Range"),
        .if_range = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-Range"),
    };
    struct public_say say;

    public_call(h->site, &ask, &say);
    return public_http_say(h, c, &say);
}

static enum MHD_Result refuse_verb(struct public_http *h, struct MHD_Connection *c)
{
    struct public_say say = {.body = BUF(PUBLIC_BODY_MAX)};

    public_call_error(&say, MHD_HTTP_METHOD_NOT_ALLOWED, "Method not allowed");
    return public_http_say(h, c, &say);
}

/* Nothing is asked with a body: the head is enough, and is answered at the second call
   (the first one's answer would end the connection). */
/* NOLINTNEXTLINE(readability-function-size): its parameters are the library's */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version,
                                  const char *piece, size_t *piece_len, void **state)
{
    struct public_http *h = cls;
    const struct sockaddr *from = public_http_client(c);
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    unsigned wait;

    (void)version;
    (void)piece;
    if (!*state) {
        *state = h;
        metrics_add(METRIC_PUBLIC_REQUESTS, 1);
        if (!from || is_too_many(c))
            return public_http_wait(c, 1);
        wait = budget_ask(h->budget, from, clock_mono_ms());
        if (wait > 0)
            return public_http_wait(c, wait);
        return reads ? MHD_YES : refuse_verb(h, c);
    }
    if (*piece_len > 0) {
        *piece_len = 0;
        return MHD_NO; /* the connection ends */
    }
    return answer(h, c, url, strcmp(method, "HEAD") == 0); /* has no ranges */
}

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *fmt,
                                                         va_list ap)
{
    char line[256];

    (void)cls;
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    log_debug("public http server", KV_S("detail", line));
}

static struct budget *make_budget(const struct public_config *cfg)
{
    const struct budget_limits one = {
        .requests_per_second = cfg->requests_per_second,
        .bytes_per_second = cfg->bytes_per_second,
        .connections = CONNECTIONS_PER_CLIENT,
        .held = HELD_BY_ONE,
    };
    const struct budget_limits all = {
        .requests_per_second = ALL_CLIENTS * cfg->requests_per_second,
        .bytes_per_second = ALL_CLIENTS * cfg->bytes_per_second,
        .connections = CONNECTIONS_MAX,
        .held = HELD_BY_ALL,
    };

    return budget_create(&one, &all);
}

enum errc public_http_start(int fd, const struct public_site *site,
                            struct public_http **out, struct err *err)
{
    struct public_http *h = xcalloc(1, sizeof(*h));

    h->site = site;
    h->budget = make_budget(site->cfg);
    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, on_accept, h, on_request,
        h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
        MHD_OPTION_END);
    if (!h->daemon) {
        budget_free(h->budget);
        free(h);
        (void)close(fd);
        return err_set(err, ERR_IO, "the public HTTP server does not start");
    }
    *out = h;
    return ERR_OK;
}

void public_http_stop(struct public_http *h)
{
    if (!h)
        return;
    MHD_stop_daemon(h->daemon); /* closes what listens */
    budget_free(h->budget);
    free(h);
}
