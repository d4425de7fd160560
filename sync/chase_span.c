#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/span.h"

/*
 * The faster way down, where headers alone will do: ranges of them from Cairns, some
 * ahead of the walk.  A range holds together by its hashes, so it is proven, all of it,
 * once one of its headers is the one that the walk expects.  What was false is the
 * sender's alone; the range is asked for again, of another.  When no Cairn is left, or
 * none has got the walk on for a while, blocks are asked for as ever (chase_ask.c): a
 * Cairn can speed the walk up and cannot hold it.
 */
enum {
    LENGTH_MIN = 64, /* headers; a short way is not cut into less */
    IN_FLIGHT_PER_PEER = 2,
    CONNECT_TIMEOUT_MS = 5000,
    ANSWER_TIMEOUT_MS = 30000,
    SPEED_MIN = 16 << 10, /* bytes a second; stock nodes give about 2 blocks a second */
    SPEED_SECONDS = 5,
    PATIENCE_MS = 10000,
    FAILURES_MAX = 2, /* in a row, and a peer is asked for no more ranges here */
};

void chase_span_clear(struct chase_span *s)
{
    span_free(s->got);
    *s = (struct chase_span){0};
}

void chase_span_begin(struct chase *c)
{
    uint64_t part = (c->target_height - c->floor) / CHASE_SPANS + 1;

    c->span_length = part < LENGTH_MIN         ? LENGTH_MIN
                     : part > HEADERS_WIRE_MAX ? HEADERS_WIRE_MAX
                                               : (size_t)part;
    c->span_moved_mono_ms = clock_mono_ms();
}

/* In hand or on its way, and the height is in it; NULL. */
static struct chase_span *span_with(struct chase *c, uint64_t height)
{
    for (size_t i = 0; i < CHASE_SPANS; i++) {
        struct chase_span *s = &c->spans[i];

        if (s->state != SPAN_EMPTY && s->low <= height && height <= s->top)
            return s;
    }
    return NULL;
}

bool chase_span_ready(struct chase *c)
{
    const struct chase_span *s = span_with(c, c->next);

    return s && s->state == SPAN_READY;
}

/* --- what comes back --- */

static void blame(struct engine *e, struct peer *p, enum peer_fault fault,
                  enum reason reason, const char *text)
{
    e->chase.span_failures[p->slot] = FAILURES_MAX;
    peer_blame(p, fault, reason, 0, text, clock_mono_ms(), clock_now_ms());
    log_warn("bad headers, asking another peer", KV_S("peer", p->url),
             KV_S("reason", reason_code(reason)), KV_S("detail", text));
}

static void on_decoded(struct engine *e, struct job_task *t)
{
    struct span *got = (void *)t;
    struct chase_span *s = &e->chase.spans[got->slot];
    char text[160];

    if (got->serial != e->chase.serial || s->state != SPAN_DECODING)
        return;
    if (got->err.code) {
        (void)snprintf(text, sizeof(text), "headers %" PRIu64 " to %" PRIu64 ": %.100s",
                       s->low, s->top, got->err.msg);
        blame(e, got->peer, PEER_FAULT_LIE, got->err.reason, text);
        chase_span_clear(s);
        return;
    }
    if (got->batch.count < got->batch.max) {
        (void)snprintf(text, sizeof(text),
                       "headers %" PRIu64 " to %" PRIu64 ": only %zu of them", s->low,
                       s->top, got->batch.count);
        blame(e, got->peer, PEER_FAULT_ERROR, REASON_PEER_BAD_ANSWER, text);
        chase_span_clear(s);
        return;
    }
    e->chase.span_failures[got->peer->slot] = 0;
    s->state = SPAN_READY;
    s->got = got;
    t->free = NULL; /* kept; see engine.c's handle_task */
}

/* No answer, or none with headers: a second time in a row, and others are asked. */
static void failed(struct engine *e, struct peer *p, const struct transfer_request *r)
{
    if (r->err.reason == REASON_PAYLOAD_TOO_LARGE)
        blame(e, p, PEER_FAULT_LIE, r->err.reason,
              "more bytes than the headers asked for can have");
    else if (r->err.code)
        e->chase.span_failures[p->slot]++;
    else if (r->status == 404)
        e->chase.span_failures[p->slot] = FAILURES_MAX;
    else if (r->status != 429)
        blame(e, p, PEER_FAULT_ERROR, REASON_PEER_BAD_ANSWER,
              "an HTTP status that is no answer to /peer/v1/headers");
}

static void on_answer(struct engine *e, const struct fetch *f,
                      struct transfer_request *r)
{
    struct chase *c = &e->chase;
    struct chase_span *s = &c->spans[f->slot];
    struct span *got;

    if (f->serial != c->serial || s->state != SPAN_ASKED)
        return;
    if (r->err.code || r->status != 200) {
        failed(e, f->peer, r);
        chase_span_clear(s);
        return;
    }
    got = span_new(r, s->low, (size_t)(s->top - s->low + 1));
    got->serial = f->serial;
    got->peer = f->peer;
    atomic_fetch_add(&got->peer->held, 1); /* until span_free */
    got->slot = f->slot;
    got->base.done = on_decoded;
    s->state = SPAN_DECODING;
    engine_run(e, &got->base);
}

/* --- asking --- */

struct asking {
    struct engine *e;
    uint64_t top;
};

static bool may_serve(const struct peer *p, void *arg)
{
    const struct asking *a = arg;
    const struct chase *c = &a->e->chase;

    return p->kind == PEER_HTTP && p->cairn && p->serves_headers &&
           !c->excluded[p->slot] && c->span_failures[p->slot] < FAILURES_MAX &&
           (!p->has_tip || p->tip_height >= a->top);
}

/* The highest range below next that nobody was asked for. */
static bool next_range(struct chase *c, struct chase_span *out)
{
    const struct chase_span *s;
    uint64_t top = c->next, low;

    while ((s = span_with(c, top))) {
        if (s->low == c->floor)
            return false;
        top = s->low - 1;
    }
    low = top - c->floor < c->span_length ? c->floor : top - c->span_length + 1;
    for (size_t i = 0; i < CHASE_SPANS; i++) {
        s = &c->spans[i];
        if (s->state != SPAN_EMPTY && s->top < top && s->top >= low)
            low = s->top + 1;
    }
    *out = (struct chase_span){.state = SPAN_ASKED, .low = low, .top = top};
    return true;
}

static bool ask(struct engine *e, struct chase_span *s)
{
    struct asking a = {.e = e};
    struct chase_span range;
    struct transfer_request *r;
    struct peer *p;
    AUTOFREE char *url = NULL;

    if (!engine_can_fetch(e) || !next_range(&e->chase, &range))
        return false;
    a.top = range.top;
    p = peers_pick(e->peers, clock_mono_ms(), clock_now_ms(), IN_FLIGHT_PER_PEER,
                   may_serve, &a);
    if (!p)
        return false;
    url =
        xasprintf("%s/peer/v1/headers?from=%" PRIu64 "&count=%" PRIu64 "&form=compact",
                  p->url, range.low, range.top - range.low + 1);
    r = transfer_request_new(url);
    r->accept_zstd = true;
    r->max_bytes = HEADERS_WIRE_BYTES_MAX;
    r->timeout_ms = ANSWER_TIMEOUT_MS;
    r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    r->min_speed = SPEED_MIN;
    r->min_speed_seconds = SPEED_SECONDS;
    *s = range;
    return engine_fetch(e, r,
                        &(struct fetch){.peer = p,
                                        .serial = e->chase.serial,
                                        .slot = (size_t)(s - e->chase.spans),
                                        .done = on_answer});
}

void chase_span_ask(struct engine *e)
{
    struct chase *c = &e->chase;

    for (size_t i = 0; i < CHASE_SPANS && c->headers_alone; i++)
        if (c->spans[i].state == SPAN_EMPTY && !ask(e, &c->spans[i]))
            return;
}

bool chase_span_asked(struct chase *c)
{
    return span_with(c, c->next) != NULL;
}

bool chase_span_waits(struct engine *e)
{
    struct chase *c = &e->chase;
    struct asking a = {.e = e, .top = c->next};
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    if (!c->headers_alone || mono - c->span_moved_mono_ms > PATIENCE_MS)
        return false;
    if (chase_span_asked(c))
        return true;
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (peer_usable(p, mono, now) && may_serve(p, &a))
            return true;
    }
    return false;
}

/* --- a range whose turn has come --- */

static void refuse(struct engine *e, struct chase_span *s, const struct header *h)
{
    struct chase *c = &e->chase;
    struct peer *p = s->got->peer;
    char got[65], want[65], text[160];

    hex_encode(h->hash, 32, got);
    hex_encode(c->expect, 32, want);
    (void)snprintf(text, sizeof(text),
                   "header %" PRIu64 " is %.12s.. here, its chain says %.12s..",
                   c->next, got, want);
    c->excluded[p->slot] = true;
    /* As with blocks: near the tip an honest peer may have reorganised. */
    if (c->next < c->target_height && votes_claim(&e->job, p, c->target_hash))
        blame(e, p, PEER_FAULT_LIE, REASON_HEADER_CHAIN_INVALID, text);
    chase_span_clear(s);
}

static enum errc store(struct chase *c, const struct chase_span *s, struct err *err)
{
    uint64_t height = c->next;
    struct chaindb_header row;
    bool added = true;

    for (;; height--) {
        const struct header *h = &s->got->batch.room[height - s->low];

        rows_from_header(h, &row);
        if (chase_walk_may(c, err) || chaindb_header_put(c->gen->db, &row, &added, err))
            return err->code;
        if (!added) /* it was known: chase_walk goes on from there */
            return ERR_OK;
        chase_walk_down(c, h->prev);
        if (height == s->low)
            return ERR_OK;
    }
}

enum errc chase_span_take(struct engine *e, struct err *err)
{
    struct chase *c = &e->chase;
    struct chase_span *s = NULL;
    const struct header *h;

    for (size_t i = 0; i < CHASE_SPANS; i++) {
        s = &c->spans[i];
        if (s->state == SPAN_READY && s->low > c->next)
            chase_span_clear(s); /* the walk went by, over blocks */
    }
    s = span_with(c, c->next);
    if (!s || s->state != SPAN_READY)
        return ERR_OK;
    h = &s->got->batch.room[c->next - s->low];
    if (memcmp(h->hash, c->expect, 32) != 0) {
        refuse(e, s, h);
        return ERR_OK;
    }
    c->span_moved_mono_ms = clock_mono_ms();
    if (store(c, s, err))
        return err->code;
    return ERR_OK;
}
