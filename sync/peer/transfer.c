#include <curl/curl.h>
#include <pthread.h>
#include <string.h>

#include "base/chan.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sync/peer/exchange.h"
#include "sync/peer/transfer.h"

enum { TICK_MS = 500 };

struct transfer {
    struct chan *inbox;
    pthread_t thread;
    atomic_bool stopping, look; /* look: at the cancel flags */
    unsigned max_connections, max_per_host;
    void (*done)(void *arg, struct transfer_request *r);
    void *arg;
    struct exchange_env env;

    /* the thread's own */
    CURLM *multi;
    int64_t looked_mono_ms;
    struct exchange *waiting[TRANSFER_OUTSTANDING_MAX];
    size_t waiting_count;
    struct exchange **running; /* max_connections */
    size_t running_count;
};

struct transfer_request *transfer_request_new(const char *url)
{
    struct transfer_request *r = xcalloc(1, sizeof(*r));

    r->url = xstrdup(url);
    return r;
}

void transfer_request_free(struct transfer_request *r)
{
    if (!r)
        return;
    free(r->url);
    free(r->path);
    free(r->etag_path);
    free(r->etag);
    free(r->body);
    free(r);
}

static void hand_back(struct transfer *t, struct exchange *x, const struct err *err)
{
    t->done(t->arg, exchange_release(x, err));
}

static void drop_waiting(struct transfer *t, size_t i)
{
    t->waiting_count--;
    for (; i < t->waiting_count; i++)
        t->waiting[i] = t->waiting[i + 1];
}

static void drop_running(struct transfer *t, size_t i)
{
    (void)curl_multi_remove_handle(t->multi, exchange_handle(t->running[i]));
    t->running[i] = t->running[--t->running_count];
}

static void take_new(struct transfer *t)
{
    struct transfer_request *r;

    while (t->waiting_count < TRANSFER_OUTSTANDING_MAX &&
           (r = chan_recv_for(t->inbox, 0)))
        t->waiting[t->waiting_count++] = exchange_create(r, &t->env);
}

/* Hands back what was cancelled; everything when all is set. */
static void cancel(struct transfer *t, bool all)
{
    struct err err;

    (void)err_set(&err, ERR_CANCELED, "%s",
                  all ? "the daemon is stopping" : "the request was cancelled");
    for (size_t i = t->waiting_count; i-- > 0;) {
        struct exchange *x = t->waiting[i];

        if (all || exchange_is_cancelled(x)) {
            drop_waiting(t, i);
            hand_back(t, x, &err);
        }
    }
    for (size_t i = t->running_count; i-- > 0;) {
        struct exchange *x = t->running[i];

        if (all || exchange_is_cancelled(x)) {
            drop_running(t, i);
            hand_back(t, x, &err);
        }
    }
}

static void look_for_cancelled(struct transfer *t)
{
    int64_t now = clock_mono_ms();

    if (!atomic_exchange(&t->look, false) && now - t->looked_mono_ms < TICK_MS)
        return;
    t->looked_mono_ms = now;
    cancel(t, false);
}

static bool host_has_room(const struct transfer *t, const char *host)
{
    unsigned n = 0;

    for (size_t i = 0; i < t->running_count; i++)
        if (strcmp(exchange_host(t->running[i]), host) == 0)
            n++;
    return n < t->max_per_host;
}

static void start(struct transfer *t, struct exchange *x)
{
    struct err err;

    if (exchange_begin(x, &err) != ERR_OK) {
        hand_back(t, x, &err);
    } else if (curl_multi_add_handle(t->multi, exchange_handle(x)) != CURLM_OK) {
        (void)err_fail(&err, REASON_INTERNAL, "libcurl does not take a request");
        hand_back(t, x, &err);
    } else {
        t->running[t->running_count++] = x;
    }
}

/* In order, but nobody waits for another host's turn.  libcurl would queue too, with
   the request's time running. */
static void start_waiting(struct transfer *t)
{
    size_t i = 0;

    while (i < t->waiting_count && t->running_count < t->max_connections) {
        struct exchange *x = t->waiting[i];

        if (host_has_room(t, exchange_host(x))) {
            drop_waiting(t, i);
            start(t, x);
        } else {
            i++;
        }
    }
}

static void end(struct transfer *t, struct exchange *x, CURLcode code)
{
    for (size_t i = 0; i < t->running_count; i++)
        if (t->running[i] == x)
            drop_running(t, i);
    if (!exchange_ended(x, (int)code))
        hand_back(t, x, NULL);
    else if (curl_multi_add_handle(t->multi, exchange_handle(x)) == CURLM_OK)
        t->running[t->running_count++] = x;
    else
        abort(); /* a handle that has just left: memory alone can refuse it */
}

static void collect(struct transfer *t)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(t->multi, &left)))
        if (msg->msg == CURLMSG_DONE) {
            CURLcode code = msg->data.result; /* gone once the handle leaves */

            end(t, exchange_of(msg->easy_handle), code);
        }
}

static void *run(void *arg)
{
    struct transfer *t = arg;
    int running;

    while (!atomic_load(&t->stopping)) {
        take_new(t);
        look_for_cancelled(t);
        start_waiting(t);
        if (curl_multi_poll(t->multi, NULL, 0, TICK_MS, NULL) != CURLM_OK ||
            curl_multi_perform(t->multi, &running) != CURLM_OK)
            abort(); /* memory, or a bug */
        collect(t);
    }
    do {
        cancel(t, true);
        take_new(t);
    } while (t->waiting_count > 0);
    return NULL;
}

static void global_init(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

static void free_all(struct transfer *t)
{
    if (!t)
        return;
    (void)curl_multi_cleanup(t->multi);
    chan_free(t->inbox);
    free(t->running);
    free(t->env.user_agent);
    free(t->env.allow.networks);
    free(t);
}

static enum errc take_networks(struct dial_allow *allow, const char *const *texts,
                               struct err *err)
{
    size_t n = 0;

    while (texts && texts[n])
        n++;
    allow->networks = xcalloc(n + 1, sizeof(allow->networks[0]));
    for (; allow->count < n; allow->count++)
        if (!cidr_parse(texts[allow->count], &allow->networks[allow->count]))
            return err_set(err, ERR_INVALID, "%.60s is no network",
                           texts[allow->count]);
    return ERR_OK;
}

enum errc transfer_start(const struct transfer_config *cfg,
                         void (*done)(void *arg, struct transfer_request *r), void *arg,
                         struct transfer **out, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct transfer *t = xcalloc(1, sizeof(*t));

    (void)pthread_once(&once, global_init);
    t->inbox = chan_create(TRANSFER_OUTSTANDING_MAX);
    t->max_connections = cfg->max_connections;
    t->max_per_host = cfg->max_per_host;
    t->done = done;
    t->arg = arg;
    t->env.user_agent = xstrdup(cfg->user_agent);
    t->running = xcalloc(cfg->max_connections, sizeof(void *));
    t->multi = curl_multi_init();
    if (take_networks(&t->env.allow, cfg->allow_networks, err) != ERR_OK) {
        free_all(t);
        return err->code;
    }
    if (!t->multi ||
        curl_multi_setopt(t->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                          (long)cfg->max_connections) != CURLM_OK ||
        curl_multi_setopt(t->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                          (long)cfg->max_per_host) != CURLM_OK ||
        pthread_create(&t->thread, NULL, run, t) != 0) {
        free_all(t);
        return err_fail(err, REASON_INTERNAL, "cannot start the transfer thread");
    }
    *out = t;
    return ERR_OK;
}

void transfer_submit(struct transfer *t, struct transfer_request *r)
{
    if (!chan_try_send(t->inbox, r))
        abort(); /* more than TRANSFER_OUTSTANDING_MAX, or after transfer_stop: a bug */
    (void)curl_multi_wakeup(t->multi);
}

void transfer_wake(struct transfer *t)
{
    atomic_store(&t->look, true);
    (void)curl_multi_wakeup(t->multi);
}

void transfer_stop(struct transfer *t)
{
    if (!t)
        return;
    chan_close(t->inbox);
    atomic_store(&t->stopping, true);
    (void)curl_multi_wakeup(t->multi);
    (void)pthread_join(t->thread, NULL);
    free_all(t);
}
