#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/core.h"

/*
 * A chain that leaves ours below the lowest block from which it could be judged: after
 * a checkpoint whose headers were proven for a window only, that is the checkpoint.  It
 * is not followed.  But where the headers above it have more work than ours, each
 * proven by its own hash, the operator must know.
 */

static enum errc sum_path(const struct chase *c, struct work *sum, struct err *err)
{
    struct chaindb_header row;
    struct header h;
    bool found;

    for (size_t i = 0; i < c->path_len; i++) {
        if (chaindb_header_get(c->gen->db, c->path[i], &found, &row, err))
            return err->code;
        if (!found)
            return err_fail(err, REASON_STORAGE_CORRUPT, "a stored header is gone");
        rows_to_header(&row, &h);
        if (!header_has_pow(&h))
            return err_fail(err, REASON_BLOCK_LOW_POW,
                            "header %llu has no proof of work",
                            (unsigned long long)row.height);
        *sum = work_add(*sum, work_of_block(row.difficulty));
    }
    return ERR_OK;
}

static void add_work(cJSON *o, const char *name, const struct work *work)
{
    char text[WORK_TEXT];

    work_text(work, text);
    cJSON_AddStringToObject(o, name, text);
}

static void add_hash(cJSON *o, const char *name, const uint8_t hash[32])
{
    char text[65];

    hex_encode(hash, 32, text);
    cJSON_AddStringToObject(o, name, text);
}

/* with: the work of the branch if it had ours up to the checkpoint. */
static void report(struct engine *e, const struct state_tip *tip,
                   const struct work *with)
{
    const struct chase *c = &e->chase;
    cJSON *evidence = cJSON_CreateObject();
    struct work ours;
    char subject[65];

    hex_encode(c->expect, 32, subject);
    cJSON_AddStringToObject(evidence, "branch_at_checkpoint", subject);
    add_hash(evidence, "branch_tip", c->target_hash);
    cJSON_AddNumberToObject(evidence, "branch_height", (double)c->target_height);
    add_work(evidence, "branch_work_with_ours_below", with);
    add_hash(evidence, "our_tip", tip->hash);
    cJSON_AddNumberToObject(evidence, "our_height", (double)tip->height);
    memcpy(ours.be, tip->work, WORK_BYTES);
    add_work(evidence, "our_work", &ours);
    cJSON_AddNumberToObject(evidence, "checkpoint_height", (double)c->floor);
    incidents_open(e, REASON_REORG_BELOW_CHECKPOINT, subject, evidence);
}

/* First on record, then refused for good: a crash between weighs it again. */
static enum errc refuse_branch(struct chase *c, struct err *err)
{
    static const uint8_t no_work[WORK_BYTES];
    const char *code = reason_code(REASON_REORG_BELOW_CHECKPOINT);
    const uint8_t *lowest = c->path[c->path_len - 1];

    if (chaindb_header_mark(c->gen->db, lowest, CHAINDB_INVALID, no_work, code, err))
        return err->code;
    return chaindb_header_mark_descendants(c->gen->db, lowest, code, err);
}

enum errc chase_weigh_off_floor(struct engine *e, struct err *err)
{
    struct chase *c = &e->chase;
    struct chaindb_header base;
    struct state_tip tip;
    struct work with;
    bool found;

    if (c->gen != &e->live || c->floor == 0 || c->path_len == 0)
        return ERR_OK;
    if (chaindb_header_get(c->gen->db, c->floor_hash, &found, &base, err) ||
        state_get_tip(e->live.state, &tip, err))
        return err->code;
    memcpy(with.be, base.work, WORK_BYTES);
    if (!found || sum_path(c, &with, err))
        return found && err->code != ERR_VERIFY ? err->code : ERR_OK;
    if (memcmp(with.be, tip.work, WORK_BYTES) <= 0)
        return ERR_OK;
    report(e, &tip, &with);
    return refuse_branch(c, err);
}
