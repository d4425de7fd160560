#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/ask.h"
#include "sync/peer/adverts.h"
#include "sync/peer/seeds.h"

/*
 * Where peers come from that nobody configured: other peers' lists and DNS seeds fill
 * the book of addresses (sync/peer/book.h), and the roster says who of it is in use.
 * Only with P2P enabled: else the operator named them all.
 */
enum {
    LOOK_MS = 2000,    /* at who is in use */
    LISTS_MS = 30000,  /* at others' lists ... */
    LISTS_AT_ONCE = 3, /* ... of so many of each kind */
    SEEDS_MS = 3600000,
    HTTP_TARGET = 16,
    LIST_TIMEOUT_MS = 10000,
};

/* --- the book --- */

static void learn(struct engine *e, const char *url, enum peer_origin origin,
                  const char *source)
{
    struct book_advert a = {.url = url, .origin = origin, .source = source};

    groups_of_url(e->groups, url, &a.place);
    (void)book_add(e->book, &a, clock_now_ms(), NULL);
}

static struct adverts_allow allowed(const struct engine *e)
{
    return (struct adverts_allow){e->allow, e->allow_count};
}

static void learn_list(struct engine *e, struct peer *from, const char *text,
                       size_t len)
{
    CLEANUP(adverts_free) struct adverts *list = NULL;
    const struct adverts_allow allow = allowed(e);
    struct err err;

    if (adverts_parse(text, len, &allow, &list, &err)) {
        peer_blame(from, PEER_FAULT_ERROR, err.reason, 0, err.msg, clock_mono_ms(),
                   clock_now_ms());
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        learn(e, list->urls[i], PEER_ADVERTISED, from->group);
}

static void on_list(struct engine *e, const struct fetch *f, struct transfer_request *r)
{
    if (!r->err.code && r->status == 200)
        learn_list(e, f->peer, r->body, r->body_len);
}

static void on_told(struct engine *e, const struct fetch *f, struct p2p_request *r)
{
    if (!r->err.code)
        learn_list(e, f->peer, r->body, r->body_len);
}

static void ask_list(struct engine *e, struct peer *p)
{
    if (p->kind == PEER_WS) {
        struct p2p_request *r = p2p_request_new(P2P_PEERS);

        r->conn = p->conn;
        r->timeout_ms = LIST_TIMEOUT_MS;
        (void)ask_p2p(e, r,
                      &(struct fetch){.peer = p, .any_epoch = true, .told = on_told});
    } else {
        AUTOFREE char *url = xasprintf("%s/peers", p->url);
        struct transfer_request *r = transfer_request_new(url);

        r->max_bytes = ADVERTS_BYTES_MAX;
        r->timeout_ms = r->connect_timeout_ms = LIST_TIMEOUT_MS;
        r->hostile = p->hostile;
        (void)engine_fetch(e, r, &(struct fetch){.peer = p, .done = on_list});
    }
}

/* In turn, so that nobody's list is the only one that counts.  False: nobody is there.
 */
static bool ask_lists(struct engine *e)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    size_t n = peers_count(e->peers);
    unsigned asked[2] = {0};

    for (size_t i = 0; i < n; i++) {
        struct peer *p = peers_at(e->peers, (e->lists_turn + i) % n);

        if (asked[p->kind] < LISTS_AT_ONCE && ask_can(p, mono, now)) {
            asked[p->kind]++;
            ask_list(e, p);
        }
    }
    e->lists_turn += LISTS_AT_ONCE;
    return asked[PEER_HTTP] + asked[PEER_WS] > 0;
}

/* --- DNS seeds, on a worker --- */

struct seeds_task {
    struct job_task base;
    const char *name; /* of the configuration */
    bool tls;
    struct adverts_allow allow;
    struct seeds seeds;
    struct err err;
};

static void run_seeds(struct task *task)
{
    struct seeds_task *t = (void *)task;

    (void)seeds_resolve(t->name, t->tls, &t->allow, &t->seeds, &t->err);
}

static void seeds_resolved(struct engine *e, struct job_task *base)
{
    struct seeds_task *t = (void *)base;

    if (t->err.code)
        log_info("a seed told nothing", KV_S("seed", t->name),
                 KV_S("detail", t->err.msg));
    for (size_t i = 0; i < t->seeds.count; i++)
        learn(e, t->seeds.urls[i], PEER_SEED, t->name);
}

static void free_seeds(struct job_task *base)
{
    free((void *)base);
}

static void ask_seeds(struct engine *e)
{
    for (const char *const *name = e->cfg->dns_seeds; name && *name; name++) {
        struct seeds_task *t = xcalloc(1, sizeof(*t));

        t->base.task.run = run_seeds;
        t->base.done = seeds_resolved;
        t->base.free = free_seeds;
        t->base.any_epoch = true;
        t->name = *name;
        t->tls = e->cfg->params->p2p_tls;
        t->allow = allowed(e);
        engine_run(e, &t->base);
    }
}

/* --- who is in use --- */

static void fill(struct engine *e, const struct roster_want *w)
{
    struct roster r = peerbook_roster(e);
    int64_t now = clock_now_ms();
    struct peer *leaver = roster_leaver(&r, w, now), *p;
    struct book_entry *entry;
    struct err err;

    if (leaver) {
        log_info("peer given up", KV_S("peer", leaver->url));
        links_drop(e, leaver);
        roster_release(&r, leaver, now);
    }
    entry = roster_next(&r, w, now);
    if (entry && roster_take(&r, entry, now, &p, &err) == ERR_OK)
        log_info("peer taken up", KV_S("peer", p->url),
                 KV_S("origin", peer_origin_name(p->origin)));
}

void discovery_pump(struct engine *e)
{
    const struct roster_want ws = {PEER_WS, e->cfg->p2p_outbound};
    const struct roster_want http = {PEER_HTTP, HTTP_TARGET};
    int64_t mono = clock_mono_ms();

    if (!e->p2p || mono < e->discovery_at_mono_ms)
        return;
    e->discovery_at_mono_ms = mono + LOOK_MS;
    if (mono >= e->seeds_at_mono_ms) {
        e->seeds_at_mono_ms = mono + SEEDS_MS;
        ask_seeds(e);
    }
    if (mono >= e->lists_at_mono_ms && peers_count(e->peers) > 0 && ask_lists(e))
        e->lists_at_mono_ms = mono + LISTS_MS;
    fill(e, &ws);
    fill(e, &http);
}
