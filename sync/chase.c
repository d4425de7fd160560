#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
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
       one a poll, and given up where nobody honest was that far behind. */
    LONE_PIECE = 2000,
    LONE_PATH_MAX = 20000,
    PATH_MAX_LEN = 16 << 20,
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
    unsigned all = groups_at(e, 0), want = e->cfg->policy.min_peers;

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
    c->done = done;
    c->moved_mono_ms = clock_mono_ms();
}

void chase_end(struct engine *e, enum chase_result result, const struct err *err)
{
    void (*done)(struct engine *, enum chase_result, const struct err *) =
        e->chase.done;
    struct err copy = *err; /* err may live in the chase */

    chase_reset(&e->chase);
    done(e, result, &copy);
}

/* --- going down over what is known already --- */

static void descend(struct chase *c, const uint8_t prev[32])
{
    if (c->path_len == c->path_cap) {
        c->path_cap = c->path_cap ? c->path_cap * 2 : 256;
        c->path = xrealloc(c->path, c->path_cap * sizeof(c->path[0]));
    }
    memcpy(c->path[c->path_len++], c->expect, 32);
    if (c->next == c->floor)
        c->at_floor = true;
    else
        c->next--;
    memcpy(c->expect, prev, 32);
    c->moved_mono_ms = clock_mono_ms();
}

/* A block of the path at c->next is in hand or on disk: may the walk go below it? */
static enum errc check_floor(const struct chase *c, struct err *err)
{
    char hash[65];

    if (c->lone && c->path_len >= LONE_PATH_MAX)
        return err_fail(err, REASON_HEADER_CHAIN_INVALID,
                        "over %d headers that too few networks claim", LONE_PATH_MAX);
    if (c->path_len >= PATH_MAX_LEN)
        return err_fail(err, REASON_HEADER_CHAIN_INVALID, "over %d headers to walk",
                        PATH_MAX_LEN);
    if (c->next != c->floor || !c->has_floor_hash ||
        memcmp(c->expect, c->floor_hash, 32) == 0)
        return ERR_OK;
    hex_encode(c->expect, 32, hash);
    return err_fail(err, REASON_HEADER_CHAIN_INVALID,
                    "the chain leads to %s at height %llu, which is not ours", hash,
                    (unsigned long long)c->floor);
}

/* Follows stored headers down.  *found: the walk has met a verified one or the floor.
 */
static enum errc walk_known(struct chase *c, bool *found, struct err *err)
{
    struct chaindb_header row;
    bool known;

    *found = false;
    for (;;) {
        if (c->at_floor) {
            *found = true;
            return ERR_OK;
        }
        if (check_floor(c, err) ||
            chaindb_header_get(c->gen->db, c->expect, &known, &row, err))
            return err->code;
        if (!known)
            return ERR_OK;
        if (row.status == CHAINDB_INVALID)
            return err_fail(err, REASON_HEADER_CHAIN_INVALID,
                            "it stands on block %llu, which was refused before",
                            (unsigned long long)row.height);
        if (row.status == CHAINDB_VALID) {
            *found = true;
            return ERR_OK;
        }
        descend(c, row.prev);
    }
}

/* --- blocks that have come --- */

static enum errc store_block(struct chase *c, const struct decoded *d, struct err *err)
{
    struct chaindb_header row;

    rows_from_header(&d->header, &row);
    if (chaindb_header_put(c->gen->db, &row, err))
        return err->code;
    if (d->want_body &&
        chaindb_body_put(c->gen->db, row.hash, d->body.data, d->body.len, err))
        return err->code;
    if (d->want_outputs &&
        chaindb_proof_put(c->gen->db, row.height, d->outputs.data, d->outputs.len, err))
        return err->code;
    return ERR_OK;
}

/* The sender claimed a chain, and this block is not on it. */
static void refuse_block(struct engine *e, struct chase_slot *s)
{
    struct chase *c = &e->chase;
    struct peer *p = s->from;
    char got[65], want[65], text[160];

    hex_encode(s->decoded->header.hash, 32, got);
    hex_encode(c->expect, 32, want);
    (void)snprintf(text, sizeof(text),
                   "block %llu is %.12s.. here, its chain says %.12s..",
                   (unsigned long long)c->next, got, want);
    c->excluded[peerbook_index(e, p)] = true;
    /* Near the tip an honest peer may have reorganised; far below it none does. */
    if (c->proof && c->next < c->target_height)
        peer_blame(p, PEER_FAULT_LIE, REASON_HEADER_CHAIN_INVALID, 0, text,
                   clock_mono_ms(), clock_now_ms());
    log_info("block is not on the chain asked for", KV_S("peer", p->url),
             KV_S("detail", text));
    decoded_free(TAKE(s->decoded));
    s->state = SLOT_EMPTY;
}

static enum errc consume(struct engine *e, bool *found, struct err *err)
{
    struct chase *c = &e->chase;

    while (!*found) {
        struct chase_slot *s = chase_slot(c, c->next);

        if (s->state != SLOT_READY)
            return ERR_OK;
        if (memcmp(s->decoded->header.hash, c->expect, 32) != 0) {
            refuse_block(e, s);
            return ERR_OK;
        }
        if (store_block(c, s->decoded, err))
            return err->code;
        chase_slot_clear(s);
        c->fetched++;
        if (walk_known(c, found, err))
            return err->code;
    }
    return ERR_OK;
}

static enum errc advance(struct engine *e, bool *found, struct err *err)
{
    struct chase *c = &e->chase;
    struct err commit;
    enum errc rc;

    if (chaindb_begin(c->gen->db, err))
        return err->code;
    rc = walk_known(c, found, err);
    if (!rc)
        rc = consume(e, found, err);
    if (rc && rc != ERR_VERIFY) {
        chaindb_rollback(c->gen->db);
        return rc;
    }
    /* What came before a refused block is proven all the same. */
    if (chaindb_commit(c->gen->db, &commit) && !rc) {
        *err = commit;
        rc = err->code;
    }
    return rc;
}

static bool has_stalled(struct chase *c)
{
    bool asked = chase_slot(c, c->next)->state != SLOT_EMPTY;
    int64_t waited = clock_mono_ms() - c->moved_mono_ms;

    if (c->lone)
        return waited > LONE_STALL_MS;
    return waited > (asked ? ASKED_STALL_MS : STALL_MS);
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
    if (advance(e, &found, &err)) {
        chase_end(e, err.code == ERR_VERIFY ? CHASE_REFUSED : CHASE_BROKEN, &err);
        return;
    }
    engine_progress(e, "headers", c->path_len, c->target_height - c->floor + 1);
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
    chase_ask_ahead(e);
    if (chase_nobody_left(e) || has_stalled(c)) {
        char hash[65];

        hex_encode(c->expect, 32, hash);
        (void)err_fail(&err, REASON_SOURCE_UNREACHABLE,
                       "no peer serves block %llu with hash %s",
                       (unsigned long long)c->next, hash);
        chase_end(e, CHASE_BROKEN, &err);
    }
}
