#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/chain/connect.h"
#include "sync/core.h"

/*
 * Fork choice: the valid header with most work, first seen on ties, is where the state
 * belongs.  An extension is applied in batches; a reorganisation, undo and all, is one
 * transaction, so that a crash or an invalid block leaves the old tip.
 */
enum { BATCH = 64 };

void reorg_reset(struct reorg *r)
{
    free(r->path);
    *r = (struct reorg){0};
}

static void push(struct reorg *r, const uint8_t hash[32])
{
    if (r->path_len == r->path_cap) {
        r->path_cap = r->path_cap ? r->path_cap * 2 : 256;
        r->path = xrealloc(r->path, r->path_cap * sizeof(r->path[0]));
    }
    memcpy(r->path[r->path_len++], hash, 32);
}

/* The hashes from best down to where it leaves the active chain. */
static enum errc plan(struct engine *e, const struct chaindb_header *best,
                      struct err *err)
{
    struct reorg *r = &e->reorg;
    struct chaindb_header row = *best, active;
    bool found;

    reorg_reset(r);
    memcpy(r->best, best->hash, 32);
    for (;;) {
        if (chaindb_active_at(e->live.db, row.height, &found, &active, err))
            return err->code;
        if (found && memcmp(active.hash, row.hash, 32) == 0)
            break;
        push(r, row.hash);
        if (chaindb_header_get(e->live.db, row.prev, &found, &row, err))
            return err->code;
        if (!found)
            return err_fail(err, REASON_STORAGE_CORRUPT,
                            "the parent of a verified header is gone");
    }
    r->fork_height = row.height;
    return ERR_OK;
}

/* --- one block --- */

static bool find_coin(void *arg, const struct outpoint *at, struct coin *out,
                      struct err *err)
{
    uint64_t made;
    bool found = false;

    *err = (struct err){0};
    if (state_find(arg, at, &found, out, &made, err))
        return false;
    return found;
}

static enum errc load_block(struct engine *e, const uint8_t hash[32],
                            struct block **out, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(64U << 20);
    bool found;

    if (chaindb_body_get(e->live.db, hash, &found, &text, err))
        return err->code;
    if (!found)
        return err_fail(err, REASON_STORAGE_CORRUPT, "the body of a block is gone");
    return block_decode(text.data, text.len, e->cfg->params, out, err);
}

static enum errc apply(struct engine *e, const uint8_t hash[32], struct err *err)
{
    CLEANUP(block_free) struct block *b = NULL;
    struct connect_view view = {.find = find_coin, .arg = e->live.state};
    struct connect_changes c = {0};
    struct chaindb_header row;
    struct state_tip tip;
    struct state_block sb;
    enum errc rc;
    bool found;

    if (load_block(e, hash, &b, err) ||
        chaindb_header_get(e->live.db, hash, &found, &row, err) ||
        state_get_tip(e->live.state, &tip, err))
        return err->code;
    view.supply = tip.supply;
    if (connect_block(b, e->cfg->params, &view, &c, err))
        return err_wrap(err, "block %" PRIu64, row.height);
    sb = (struct state_block){.height = row.height,
                              .spent = c.spent,
                              .made = c.made,
                              .spent_count = c.spent_count,
                              .made_count = c.made_count,
                              .supply = c.supply};
    memcpy(sb.hash, row.hash, 32);
    memcpy(sb.prev, row.prev, 32);
    memcpy(sb.work, row.work, WORK_BYTES);
    rc = state_apply(e->live.state, &sb, err);
    connect_changes_fini(&c);
    if (rc == ERR_OK)
        metrics_add(METRIC_BLOCKS_APPLIED, 1);
    return rc;
}

/* --- a step --- */

static enum errc undo_to(struct engine *e, uint64_t height, struct err *err)
{
    struct state_tip tip;

    for (;;) {
        if (state_get_tip(e->live.state, &tip, err))
            return err->code;
        if (tip.height <= height)
            return ERR_OK;
        if (state_undo(e->live.state, err))
            return err_wrap(err, "undo block %" PRIu64, tip.height);
        metrics_add(METRIC_BLOCKS_UNDONE, 1);
    }
}

/* *bad gets the hash of the block that broke a rule. */
static enum errc move_tip(struct engine *e, bool reorganise, uint8_t bad[32],
                          struct err *err)
{
    struct reorg *r = &e->reorg;
    size_t left = r->path_len, n = reorganise ? left : BATCH;

    if (reorganise && undo_to(e, r->fork_height, err))
        return err->code;
    for (; n > 0 && left > 0; n--) {
        memcpy(bad, r->path[left - 1], 32);
        if (apply(e, bad, err))
            return err->code;
        left--;
    }
    r->path_len = left;
    return ERR_OK;
}

static enum errc mark_bad(struct engine *e, const uint8_t hash[32], enum reason reason,
                          struct err *err)
{
    const uint8_t zero[WORK_BYTES] = {0};
    const char *code = reason_code(reason);

    if (chaindb_begin(e->live.db, err))
        return err->code;
    if (chaindb_header_mark(e->live.db, hash, CHAINDB_INVALID, zero, code, err) ||
        chaindb_header_mark_descendants(e->live.db, hash, code, err) ||
        chaindb_commit(e->live.db, err)) {
        chaindb_rollback(e->live.db);
        return err->code;
    }
    return ERR_OK;
}

static enum errc refuse_block(struct engine *e, const uint8_t hash[32],
                              const struct err *why, struct err *err)
{
    char text[65];
    uint8_t best[32];

    hex_encode(hash, 32, text);
    log_warn("block refused", KV_S("hash", text),
             KV_S("reason", reason_code(why->reason)), KV_S("detail", why->msg));
    metrics_add(METRIC_BLOCKS_REFUSED, 1);
    memcpy(best, e->reorg.best, 32);
    reorg_reset(&e->reorg);
    if (mark_bad(e, hash, why->reason, err))
        return err->code;
    chase_blame_claimants(e, best, why->reason, why->msg);
    return ERR_OK;
}

/* A heavier chain that leaves ours below the checkpoint: never followed, never silent.
 */
static enum errc refuse_branch(struct engine *e, const struct chaindb_header *best,
                               const struct state_tip *tip, struct err *err)
{
    struct reorg *r = &e->reorg;
    cJSON *evidence = cJSON_CreateObject();
    char first[65], hash[65], text[WORK_TEXT];
    struct work work;
    uint8_t bad[32];

    hex_encode(r->path[r->path_len - 1], 32, first);
    hex_encode(best->hash, 32, hash);
    cJSON_AddNumberToObject(evidence, "fork_height", (double)r->fork_height);
    cJSON_AddStringToObject(evidence, "branch_first_block", first);
    cJSON_AddStringToObject(evidence, "branch_tip", hash);
    cJSON_AddNumberToObject(evidence, "branch_height", (double)best->height);
    memcpy(work.be, best->work, WORK_BYTES);
    work_text(&work, text);
    cJSON_AddStringToObject(evidence, "branch_work", text);
    hex_encode(tip->hash, 32, hash);
    cJSON_AddStringToObject(evidence, "our_tip", hash);
    cJSON_AddNumberToObject(evidence, "our_height", (double)tip->height);
    memcpy(work.be, tip->work, WORK_BYTES);
    work_text(&work, text);
    cJSON_AddStringToObject(evidence, "our_work", text);
    cJSON_AddNumberToObject(evidence, "checkpoint_height", (double)e->live.base_height);
    /* The incident first, and again should a crash come between: a branch that is
       marked is not looked at any more. */
    incidents_open(e, REASON_REORG_BELOW_CHECKPOINT, first, evidence);
    memcpy(bad, r->path[r->path_len - 1], 32);
    reorg_reset(r);
    return mark_bad(e, bad, REASON_REORG_BELOW_CHECKPOINT, err);
}

static enum errc carry_out(struct engine *e, const struct state_tip *tip,
                           struct err *err)
{
    bool reorganise = e->reorg.fork_height < tip->height;
    struct err why = {0};
    uint8_t bad[32];

    if (chaindb_begin(e->live.db, err))
        return err->code;
    if (move_tip(e, reorganise, bad, &why) == ERR_OK) {
        if (chaindb_commit(e->live.db, err))
            return err->code;
        if (reorganise) {
            metrics_add(METRIC_REORGS, 1);
            log_info("reorganised", KV_U("from", tip->height),
                     KV_U("fork", e->reorg.fork_height));
        }
        e->reorg.fork_height = UINT64_MAX; /* the rest is an extension */
        return ERR_OK;
    }
    chaindb_rollback(e->live.db);
    if (why.code == ERR_VERIFY)
        return refuse_block(e, bad, &why, err);
    *err = why;
    return err->code;
}

enum errc reorg_step(struct engine *e, bool *settled, struct err *err)
{
    struct chaindb_header best;
    struct state_tip tip;
    bool found;

    if (chaindb_header_best(e->live.db, &found, &best, err) ||
        state_get_tip(e->live.state, &tip, err))
        return err->code;
    *settled = !found || memcmp(best.work, tip.work, WORK_BYTES) <= 0;
    if (*settled) {
        reorg_reset(&e->reorg);
        return ERR_OK;
    }
    if (e->reorg.path_len == 0 || memcmp(e->reorg.best, best.hash, 32) != 0)
        if (plan(e, &best, err))
            return err->code;
    if (e->reorg.fork_height < e->live.base_height)
        return refuse_branch(e, &best, &tip, err);
    if (e->reorg.path_len == 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "the best header has no path");
    engine_progress(e, "blocks", tip.height - e->live.base_height,
                    best.height - e->live.base_height);
    return carry_out(e, &tip, err);
}
