#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "sync/core.h"

/*
 * A chain is walked from a block that somebody named down to one we know.  The hash
 * asked for at each height is the link of the block above, so every block proves itself
 * the moment it comes, whoever sends it, and a wrong one is blamed on its sender alone
 * (docs/adr/0006).  Blocks are asked for ahead, from all peers at once; what arrives
 * early waits in its slot for the hash that it must have.  Rows are written as
 * ANCHORED, and chase_verify.c goes up again over them with the header rules.
 */
enum {
    /* Without a block: while nobody can be asked, and while somebody is, who may be the
       third, one after another, that lets his time run out (chase_ask.c). */
    STALL_MS = 20000,
    ASKED_STALL_MS = 70000,
    LONE_STALL_MS = 15000, /* what few claim is not waited for */
    /* A chain that too few networks claim may be without end: it is taken in pieces,
       one a poll. */
    LONE_PIECE = 2000,
};

struct chase_slot *chase_slot(struct chase *c, uint64_t height)
{
    return &c->slots[height % CHASE_WINDOW];
}

void chase_slot_clear(struct chase_slot *s)
{
    decoded_free(s->decoded);
    *s = (struct chase_slot){0};
}

void chase_reset(struct chase *c)
{
    for (size_t i = 0; i < CHASE_WINDOW; i++)
        chase_slot_clear(&c->slots[i]);
    for (size_t i = 0; i < CHASE_SPANS; i++)
        chase_span_clear(&c->spans[i]);
    chase_kept_free(c->kept);
    free(c->path);
    free(c->window);
    *c = (struct chase){0};
}

/* Network groups, of those with a usable peer, whose tip is at least that high. */
static unsigned groups_at(struct engine *e, uint64_t height)
{
    const char *seen[PEERS_MAX];
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    unsigned n = 0;

    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);
        bool fresh = p->has_tip && p->tip_height >= height && peer_usable(p, mono, now);

        for (unsigned k = 0; k < n && fresh; k++)
            fresh = strcmp(seen[k], p->group) != 0;
        if (fresh)
            seen[n++] = p->group;
    }
    return n;
}

bool chase_is_lone(struct engine *e, uint64_t height)
{
    unsigned all = groups_at(e, 0), want = e->policy.rules.min_peers;

    return groups_at(e, height) < (all < want ? all : want);
}

static void note_best(struct chase *c)
{
    struct chaindb_header best;
    struct err ignored; /* whatever fails here fails again when blocks are stored */

    if (chaindb_header_best(c->gen->db, &c->has_best, &best, &ignored))
        c->has_best = false;
    c->best_height = c->has_best ? best.height : 0;
}

/* Who said to have another block there is on another chain, and may be right: it is not
   asked for this one's, and its own chain is looked at later. */
static void exclude_others(struct engine *e)
{
    struct chase *c = &e->chase;

    for (size_t i = 0; i < e->job.vote_count; i++) {
        const struct vote *v = &e->job.votes[i];

        if (memcmp(v->block_hash, c->target_hash, 32) != 0)
            c->excluded[peerbook_index(e, v->peer)] = true;
    }
}

void chase_start(struct engine *e, const struct chase_target *t,
                 void (*done)(struct engine *e, enum chase_result result,
                              const struct err *err))
{
    struct chase *c = &e->chase;

    chase_reset(c);
    c->serial = ++e->chases;
    c->active = c->walking = true;
    c->gen = t->gen;
    c->proof = t->proof;
    c->lone = !t->proof && chase_is_lone(e, t->height);
    note_best(c);
    c->floor = t->floor;
    c->has_floor_hash = t->has_floor_hash;
    memcpy(c->floor_hash, t->floor_hash, 32);
    c->target_height = c->next = t->height;
    memcpy(c->target_hash, t->hash, 32);
    memcpy(c->expect, t->hash, 32);
    if (c->proof)
        exclude_others(e);
    c->done = done;
    c->moved_mono_ms = clock_mono_ms();
    c->headers_alone = t->headers_alone;
    chase_span_begin(c);
    if (t->headers_alone && t->kept)
        chase_kept_begin(c, t->kept);
}

void chase_end(struct engine *e, enum chase_result result, const struct err *err)
{
    void (*done)(struct engine *, enum chase_result, const struct err *) =
        e->chase.done;
    struct err copy = *err; /* err may live in the chase */

    if (e->chase.gen == &e->live &&
        (result == CHASE_BROKEN || err->reason == REASON_BLOCK_FROM_FUTURE ||
         e->chase.off_floor))
        sweep_keep(&e->sweep, &e->chase);
    chase_reset(&e->chase);
    done(e, result, &copy);
}

static bool has_stalled(struct chase *c)
{
    bool asked = chase_span_asked(c) || chase_slot(c, c->next)->state != SLOT_EMPTY;
    int64_t waited = clock_mono_ms() - c->moved_mono_ms;

    if (c->lone)
        return waited > LONE_STALL_MS;
    return waited > (asked ? ASKED_STALL_MS : STALL_MS);
}

/* False: nobody is left who could have what is needed next. */
static bool ask_for_more(struct engine *e)
{
    chase_span_ask(e);
    if (chase_span_waits(e))
        return true;
    chase_ask_ahead(e);
    return chase_span_asked(&e->chase) || !chase_nobody_left(e);
}

void chase_pump(struct engine *e)
{
    struct chase *c = &e->chase;
    struct err err = {0};
    bool found = false;

    if (!c->walking) {
        chase_verify(e);
        return;
    }
    if (c->kept) {
        c->hurry = true;
        if (chase_kept_take(c, &err))
            chase_end(e, CHASE_BROKEN, &err);
        return;
    }
    if (chase_walk(e, &found, &err)) {
        chase_end(e, err.code == ERR_VERIFY ? CHASE_REFUSED : CHASE_BROKEN, &err);
        return;
    }
    engine_progress(e, "headers", c->path_len, c->target_height - c->floor + 1);
    if (c->hurry)
        return;
    if (found) {
        c->walking = false;
        if (chase_verify_begin(e, &err))
            chase_end(e, CHASE_BROKEN, &err);
        return;
    }
    if (c->lone && c->fetched >= LONE_PIECE) {
        (void)err_fail(&err, REASON_BUSY, "the next %d headers come with the next poll",
                       LONE_PIECE);
        chase_end(e, CHASE_BROKEN, &err);
        return;
    }
    if (!ask_for_more(e) || has_stalled(c)) {
        char hash[65];

        hex_encode(c->expect, 32, hash);
        (void)err_fail(&err, REASON_SOURCE_UNREACHABLE,
                       "no peer serves block %llu with hash %s",
                       (unsigned long long)c->next, hash);
        chase_end(e, CHASE_BROKEN, &err);
    }
}
