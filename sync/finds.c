#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/core.h"

/* The list of what is on offer, and what was refused lately. */
enum {
    REFUSED_MS = 600 * 1000, /* what a job refused is not taken again */
    RATE_LEAST_MS = 1000,
};

int64_t finds_rate_ms(const struct engine *e)
{
    int64_t rate = (int64_t)e->cfg->request_rate_seconds * 1000;

    return rate > RATE_LEAST_MS ? rate : RATE_LEAST_MS;
}

/* --- the list --- */

void finds_clear(struct finds *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->all[i]->payload);
        free(f->all[i]);
    }
    f->count = 0;
}

void finds_fini(struct engine *e)
{
    finds_clear(&e->finds);
}

static bool same(const struct find *k, const struct payload_meta *m, const char *url)
{
    return k->meta.height == m->height &&
           strcmp(k->meta.block_hash, m->block_hash) == 0 &&
           strcmp(k->meta.state_hash, m->state_hash) == 0 && strcmp(k->url, url) == 0;
}

static size_t finds_of(const struct finds *f, const struct peer *p)
{
    size_t n = 0;

    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->all[i]->offer_count; k++)
            n += f->all[i]->offers[k] == p;
    return n;
}

bool finds_word(const struct finds *f, const struct peer *p, uint64_t height,
                uint8_t hash[32])
{
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->all[i]->offer_count; k++)
            if (f->all[i]->offers[k] == p && f->all[i]->meta.height == height)
                return hex_hash(f->all[i]->meta.block_hash, hash);
    return false;
}

bool finds_hold(const struct finds *f, const struct peer *p)
{
    return finds_of(f, p) > 0;
}

static void count_offer(struct find *k, struct peer *from)
{
    bool fresh = true;

    for (size_t i = 0; i < k->offer_count; i++) {
        if (k->offers[i] == from)
            return;
        fresh = fresh && strcmp(k->offers[i]->group, from->group) != 0;
    }
    if (k->offer_count == FIND_OFFERS_MAX)
        return;
    k->groups += fresh;
    k->offers[k->offer_count++] = from;
}

static const struct finds_refusal *refusal_of(const struct finds *f,
                                              const struct find *k)
{
    int64_t mono = clock_mono_ms();

    for (size_t i = 0; i < FINDS_REFUSED_MAX; i++) {
        const struct finds_refusal *r = &f->refused[i];

        if (r->until_mono_ms > mono && r->height == k->meta.height &&
            strcmp(r->block_hash, k->meta.block_hash) == 0 &&
            strcmp(r->state_hash, k->meta.state_hash) == 0 &&
            strcmp(r->url, k->url) == 0)
            return r;
    }
    return NULL;
}

/* What the rules say before anybody is asked for anything. */
static void preview(struct engine *e, struct find *k)
{
    const struct finds_refusal *old = refusal_of(&e->finds, k);
    struct trust_evidence *ev = xcalloc(1, sizeof(*ev));
    struct trust_verdict *v = xcalloc(1, sizeof(*v));
    struct trust_candidate c;
    struct err err;

    verdicts_candidate(&k->meta, k->url, &c);
    ev->now_ms = clock_now_ms();
    if (old) {
        k->refused = true;
        k->reason = old->reason;
    } else if (k->whole && verdicts_past(e, ev, &err) == ERR_OK) {
        trust_evaluate(&c, ev, &e->policy.rules, e->cfg->params, v);
        k->refused = v->refused;
        k->reason = v->reason;
    }
    free(ev);
    free(v);
}

struct find *finds_add(struct engine *e, struct peer *from,
                       const struct payload_meta *meta, const char *url, bool hostile)
{
    struct finds *f = &e->finds;
    struct find *k;

    for (size_t i = 0; i < f->count; i++)
        if (same(f->all[i], meta, url)) {
            count_offer(f->all[i], from);
            return f->all[i];
        }
    if (f->count == FINDS_MAX || finds_of(f, from) >= FINDS_PER_PEER)
        return NULL;
    k = xcalloc(1, sizeof(*k));
    k->meta = *meta;
    k->whole = meta->has_state_hash;
    k->hostile = hostile;
    (void)snprintf(k->url, sizeof(k->url), "%s", url);
    count_offer(k, from);
    preview(e, k);
    f->all[f->count++] = k;
    if (f->offered_at_mono_ms == 0)
        f->offered_at_mono_ms = clock_mono_ms();
    return k;
}

/* Known to be good so far, then vouched for more widely, then higher. */
static bool better(const struct find *a, const struct find *b)
{
    if (a->whole != b->whole)
        return a->whole;
    if (a->groups != b->groups)
        return a->groups > b->groups;
    return a->meta.height > b->meta.height;
}

struct find *finds_best(struct engine *e)
{
    struct finds *f = &e->finds;
    struct find *best = NULL;

    for (size_t i = 0; i < f->count; i++) {
        struct find *k = f->all[i];

        if (!k->refused && (k->url[0] != '\0' || k->payload) &&
            (!best || better(k, best)))
            best = k;
    }
    return best;
}

/* What other peers, or the same a little later, may put right. */
static bool passes(enum reason reason)
{
    return reason == REASON_NO_QUORUM || reason == REASON_INSUFFICIENT_DIVERSITY ||
           reason == REASON_INSUFFICIENT_CONFIRMATIONS ||
           reason == REASON_NO_PEER_SERVES_NEXT_BLOCK ||
           reason == REASON_ATTESTATIONS_MISSING ||
           reason == REASON_SOURCE_UNREACHABLE || reason == REASON_SOURCE_TOO_SLOW ||
           reason == REASON_SOURCE_CHANGED;
}

static bool is_of(const struct finds_refusal *r, const struct finds_refusal *k)
{
    return r->times > 0 && r->height == k->height &&
           strcmp(r->block_hash, k->block_hash) == 0 &&
           strcmp(r->state_hash, k->state_hash) == 0 && strcmp(r->url, k->url) == 0;
}

/* That of the same offer, however long ago; else the oldest place, emptied. */
static struct finds_refusal *place_of(struct finds *f)
{
    struct finds_refusal *r;

    for (size_t i = 0; i < FINDS_REFUSED_MAX; i++)
        if (is_of(&f->refused[i], &f->taken))
            return &f->refused[i];
    r = &f->refused[f->refused_next++ % FINDS_REFUSED_MAX];
    *r = f->taken;
    return r;
}

void finds_refuse(struct engine *e, enum reason reason)
{
    struct finds *f = &e->finds;
    struct finds_refusal *r = place_of(f);
    int64_t wait = passes(reason) ? finds_rate_ms(e) << (r->times < 10 ? r->times : 10)
                                  : REFUSED_MS;

    r->times++;
    r->reason = reason;
    r->until_mono_ms = clock_mono_ms() + (wait < REFUSED_MS ? wait : REFUSED_MS);
    for (size_t i = 0; i < f->count; i++)
        preview(e, f->all[i]);
}
