#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sync/ask.h"

/* The asking side of a chase: blocks by height, from whoever may have them, through a
   worker, into the slots that chase.c takes them from. */
enum {
    IN_FLIGHT_PER_PEER = 4,
    BLOCK_TIMEOUT_MS = 20000,
};

static void on_decoded(struct engine *e, struct job_task *t)
{
    struct decoded *d = (void *)t;
    struct chase_slot *s = &e->chase.slots[d->slot];

    if (d->serial != e->chase.serial || s->state != SLOT_DECODING ||
        s->height != d->height)
        return;
    s->state = SLOT_EMPTY;
    if (d->err.code == ERR_OK && d->header.height != d->height)
        (void)err_fail(&d->err, REASON_BLOCK_HASH_MISMATCH, "a block of height %llu",
                       (unsigned long long)d->header.height);
    if (d->err.code) {
        char text[160];

        (void)snprintf(text, sizeof(text), "block %llu: %.120s",
                       (unsigned long long)d->height, d->err.msg);
        s->tried[peerbook_index(e, d->peer)] = true;
        metrics_add(METRIC_BLOCKS_REFUSED, 1);
        peer_blame(d->peer, PEER_FAULT_LIE, d->err.reason, 0, text, clock_mono_ms(),
                   clock_now_ms());
        log_warn("bad block, asking another peer", KV_S("peer", d->peer->url),
                 KV_S("reason", reason_code(d->err.reason)), KV_S("detail", text));
        return;
    }
    s->state = SLOT_READY;
    s->decoded = d;
    d->base.free = NULL; /* kept; see engine.c's handle_task */
}

static void on_block(struct engine *e, const struct fetch *f,
                     struct transfer_request *r)
{
    struct chase *c = &e->chase;
    struct chase_slot *s = &c->slots[f->slot];
    struct decoded *d;

    if (f->serial != c->serial || s->state != SLOT_ASKED || s->height != f->height)
        return;
    s->state = SLOT_EMPTY;
    if (r->err.code || r->status == 429)
        return; /* the peer is backing off; whoever is free is asked next */
    if (r->status != 200) {
        s->tried[peerbook_index(e, f->peer)] = true;
        if (r->status != 404)
            peer_blame(f->peer, PEER_FAULT_ERROR, REASON_PEER_BAD_ANSWER, 0,
                       "an HTTP status that is no answer to /blocks/<height>",
                       clock_mono_ms(), clock_now_ms());
        return;
    }
    d = decoded_new(r, f->peer, e->cfg->params);
    d->check_transfers = f->height > c->gen->base_height;
    d->want_body = d->check_transfers || f->height == 0; /* others may want genesis */
    d->want_outputs = c->proof;
    d->height = f->height;
    d->serial = f->serial;
    d->slot = f->slot;
    d->base.done = on_decoded;
    s->state = SLOT_DECODING;
    s->from = f->peer;
    engine_run(e, &d->base);
}

/* --- asking --- */

struct asking {
    struct engine *e;
    const struct chase_slot *slot;
};

static bool may_serve(const struct peer *p, void *arg)
{
    const struct asking *a = arg;
    size_t i = peerbook_index(a->e, p);

    return (p->kind == PEER_HTTP || p->conn != 0) && !a->e->chase.excluded[i] &&
           !a->slot->tried[i] && (!p->has_tip || p->tip_height >= a->slot->height);
}

static bool ask(struct engine *e, uint64_t height)
{
    struct chase_slot *s = chase_slot(&e->chase, height);
    struct asking a = {.e = e, .slot = s};
    struct peer *p;

    if (s->height != height)
        chase_slot_clear(s);
    s->height = height;
    if (s->state != SLOT_EMPTY)
        return true;
    p = peers_pick(e->peers, clock_mono_ms(), clock_now_ms(), IN_FLIGHT_PER_PEER,
                   may_serve, &a);
    if (!p || !engine_can_fetch(e))
        return false;
    if (!ask_block(e, height, BLOCK_TIMEOUT_MS,
                   &(struct fetch){.peer = p,
                                   .height = height,
                                   .serial = e->chase.serial,
                                   .slot = height % CHASE_WINDOW,
                                   .done = on_block}))
        return false;
    s->state = SLOT_ASKED;
    return true;
}

/* Nobody who is neither banned nor ruled out here has the block needed next. */
bool chase_nobody_left(struct engine *e)
{
    struct asking a = {.e = e, .slot = chase_slot(&e->chase, e->chase.next)};
    int64_t now = clock_now_ms();

    if (a.slot->state != SLOT_EMPTY)
        return false;
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (p->banned_until_ms <= now && may_serve(p, &a))
            return false;
    }
    return true;
}

/* The walk most likely ends at the best verified header: what lies below is not asked
   for ahead, unless the walk has gone on below, and then as far again as it has. */
static uint64_t lowest_ahead(const struct chase *c)
{
    uint64_t below;

    if (!c->has_best)
        return c->floor;
    if (c->next > c->best_height)
        return c->best_height < c->floor ? c->floor : c->best_height + 1;
    below = c->best_height - c->next;
    if (below > c->path_len)
        below = c->path_len;
    return c->next - c->floor > below ? c->next - below : c->floor;
}

void chase_ask_ahead(struct engine *e)
{
    struct chase *c = &e->chase;
    uint64_t height = c->next, lowest = lowest_ahead(c);

    for (size_t i = 0; i < CHASE_WINDOW; i++, height--) {
        if (!ask(e, height) && i == 0 && chase_nobody_left(e))
            break;
        if (height == lowest)
            break;
    }
}
