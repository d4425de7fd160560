#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/core.h"

/* The way down of a chase: over the rows that are there, and over the blocks that have
   come, each held against the hash that it must have. */
enum {
    LONE_PATH_MAX = 20000, /* what few claim: nobody honest was that far behind */
    PATH_MAX_LEN = 16 << 20,
    KNOWN_BATCH =
        2048, /* known headers a step, so that the engine answers in between */
};

/* --- chains that are too long for what few claim --- */

bool chase_gave_up(struct engine *e, const uint8_t tip[32], uint64_t height)
{
    for (size_t i = 0; i < GIVEN_UP_MAX && i < e->gave_up; i++)
        if (memcmp(e->given_up[i], tip, 32) == 0)
            return chase_is_lone(e, height);
    return false;
}

static void give_up(struct engine *e)
{
    memcpy(e->given_up[e->gave_up++ % GIVEN_UP_MAX], e->chase.target_hash, 32);
}

/* --- going down over what is known already --- */

void chase_walk_down(struct chase *c, const uint8_t prev[32])
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

enum errc chase_walk_may(struct chase *c, struct err *err)
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
    c->off_floor = true;
    hex_encode(c->expect, 32, hash);
    return err_fail(err, REASON_HEADER_CHAIN_INVALID,
                    "the chain leads to %s at height %llu, which is not ours", hash,
                    (unsigned long long)c->floor);
}

/* What stands on a refused block need not be walked again. */
static enum errc refuse_above(struct chase *c, const struct chaindb_header *row,
                              struct err *err)
{
    if (chaindb_header_mark_descendants(c->gen->db, row->hash,
                                        reason_code(REASON_HEADER_CHAIN_INVALID), err))
        return err->code;
    return err_fail(err, REASON_HEADER_CHAIN_INVALID,
                    "it stands on block %llu, which was refused before",
                    (unsigned long long)row->height);
}

/* Follows stored headers down.  *found: the walk has met a verified one or the floor.
 */
static enum errc walk_known(struct chase *c, bool *found, struct err *err)
{
    struct chaindb_header row;
    bool known;

    *found = false;
    for (size_t n = 0;; n++) {
        c->hurry = n == KNOWN_BATCH;
        if (c->hurry)
            return ERR_OK;
        if (c->at_floor) {
            *found = true;
            return ERR_OK;
        }
        if (chase_walk_may(c, err) ||
            chaindb_header_get(c->gen->db, c->expect, &known, &row, err))
            return err->code;
        if (!known)
            return ERR_OK;
        if (row.status == CHAINDB_INVALID)
            return refuse_above(c, &row, err);
        if (row.status == CHAINDB_VALID) {
            *found = true;
            return ERR_OK;
        }
        chase_walk_down(c, row.prev);
    }
}

/* --- blocks that have come --- */

static enum errc store_block(struct chase *c, const struct decoded *d, struct err *err)
{
    struct chaindb_header row;
    bool added;

    rows_from_header(&d->header, &row);
    if (chaindb_header_put(c->gen->db, &row, &added, err))
        return err->code;
    if (d->want_body &&
        chaindb_body_put(c->gen->db, row.hash, d->body.data, d->body.len, err))
        return err->code;
    if (d->want_outputs &&
        chaindb_proof_put(c->gen->db, row.height, d->outputs.data, d->outputs.len, err))
        return err->code;
    return ERR_OK;
}

/* This block is not on the chain: a lie of a sender who claimed it. */
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
    if (c->proof && c->next < c->target_height &&
        votes_claim(&e->job, p, c->target_hash))
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

    while (!*found && !c->hurry) {
        struct chase_slot *s = chase_slot(c, c->next);

        /* What was asked for before a span led the walk past it waits there still. */
        if (s->state != SLOT_READY || s->height != c->next)
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

/* One a transaction: there may be thousands of headers in it. */
static enum errc walk_span(struct engine *e, bool *found, struct err *err)
{
    struct chase *c = &e->chase;

    if (chase_span_take(e, err) || walk_known(c, found, err))
        return err->code;
    c->hurry = c->hurry || (!*found && chase_span_ready(c));
    return ERR_OK;
}

enum errc chase_walk(struct engine *e, bool *found, struct err *err)
{
    struct chase *c = &e->chase;
    struct err commit = {0};
    enum errc rc;

    if (chaindb_begin(c->gen->db, err))
        return err->code;
    rc = walk_known(c, found, err);
    if (!rc)
        rc = consume(e, found, err);
    if (!rc && !*found && !c->hurry)
        rc = walk_span(e, found, err);
    if (rc == ERR_VERIFY && c->off_floor && chase_weigh_off_floor(e, &commit)) {
        *err = commit;
        rc = err->code;
    }
    if (rc && rc != ERR_VERIFY) {
        chaindb_rollback(c->gen->db);
        return rc;
    }
    if (rc && c->lone && c->path_len >= LONE_PATH_MAX)
        give_up(e);
    /* What came before a refused block is proven all the same. */
    if (chaindb_commit(c->gen->db, &commit) && !rc) {
        *err = commit;
        rc = err->code;
    }
    return rc;
}
