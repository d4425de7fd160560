#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/core.h"

/*
 * What lies on the disk may rot.  At start a worker reads the live generation through,
 * beside everything else: the coin file against its state root, the coins made and
 * spent since against their digest, the active headers against their hashes.  What no
 * longer holds is quarantined: not served, not deleted, and said.  (Until then no chunk
 * is used unchecked anyway.)
 */
struct selfcheck {
    struct job_task base;
    int64_t generation;
    char dir[PATH_TEXT];
    struct err err;
};

static enum errc broken(uint64_t height, const char *what, struct err *err)
{
    return err_fail(err, REASON_STORAGE_CORRUPT, "chain.db: header %llu %s",
                    (unsigned long long)height, what);
}

/* *more: there is one below, in *below.  The lowest held has no active one below it. */
static enum errc step_down(struct chaindb *db, const struct chaindb_header *row,
                           struct chaindb_header *below, bool *more, struct err *err)
{
    struct chaindb_header active;
    bool found;

    *more = false;
    if (row->height == 0)
        return ERR_OK;
    if (chaindb_header_get(db, row->prev, more, below, err) ||
        chaindb_active_at(db, row->height - 1, &found, &active, err))
        return err->code;
    if (!*more && found)
        return broken(row->height - 1, "is gone", err);
    if (*more && !found && below->status == CHAINDB_VALID)
        return broken(row->height - 1, "is not the active one", err);
    *more = *more && found;
    return ERR_OK;
}

static enum errc check_header(const struct chaindb_header *row,
                              const struct chaindb_header *below, struct err *err)
{
    struct header h;
    struct work work;
    uint8_t hash[32];

    rows_to_header(row, &h);
    header_hash(&h, hash);
    if (memcmp(hash, row->hash, 32) != 0)
        return broken(row->height, "lost its hash", err);
    if (!below)
        return ERR_OK;
    memcpy(work.be, below->work, WORK_BYTES);
    work = work_add(work, work_of_block(row->difficulty));
    if (memcmp(work.be, row->work, WORK_BYTES) != 0)
        return broken(row->height, "lost its work", err);
    return ERR_OK;
}

static enum errc check_active(struct chaindb *db, const struct chaindb_header *row,
                              struct err *err)
{
    struct chaindb_header active;
    bool found;

    if (chaindb_active_at(db, row->height, &found, &active, err))
        return err->code;
    if (!found || row->status != CHAINDB_VALID ||
        memcmp(active.hash, row->hash, 32) != 0)
        return broken(row->height, "is not the active one", err);
    return ERR_OK;
}

static enum errc check_headers(struct chaindb *db, struct state *state, struct err *err)
{
    struct chaindb_header row = {0}, below = {0};
    struct state_tip tip;
    bool more;

    if (state_get_tip(state, &tip, err) ||
        chaindb_header_get(db, tip.hash, &more, &row, err))
        return err->code;
    if (!more)
        return broken(tip.height, "is gone", err);
    while (more) {
        if (check_active(db, &row, err) || step_down(db, &row, &below, &more, err) ||
            check_header(&row, more ? &below : NULL, err))
            return err->code;
        row = below;
    }
    return ERR_OK;
}

static enum errc check_changes(struct selfcheck *t, struct err *err)
{
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    CLEANUP(state_close) struct state *state = NULL;
    AUTOFREE char *path = xasprintf("%s/chain.db", t->dir);
    enum errc rc;

    if (chaindb_open(path, CHAINDB_READER, &db, err) ||
        state_open(t->dir, db, &state, err) || chaindb_begin(db, err))
        return err->code;
    chaindb_stop_when(db, &t->base.task.cancel);
    rc = state_verify(state, err);
    if (!rc)
        rc = check_headers(db, state, err);
    if (!rc)
        rc = chaindb_check(db, err);
    chaindb_rollback(db);
    return rc;
}

static void run(struct task *task)
{
    struct selfcheck *t = (void *)task;
    CLEANUP(coinfile_close) struct coinfile *coins = NULL;
    AUTOFREE char *base = xasprintf("%s/base.coins", t->dir);
    AUTOFREE char *idx = xasprintf("%s/base.idx", t->dir);

    if (check_changes(t, &t->err) || coinfile_open(base, idx, NULL, &coins, &t->err))
        return;
    (void)coinfile_verify(coins, &t->base.task.cancel, &t->err);
}

static enum errc write_quarantine(struct engine *e, const struct err *why,
                                  struct err *err)
{
    struct control_generation g;
    cJSON *o;
    AUTOFREE char *body = NULL;
    bool found;

    if (control_generation_live(e->control, &found, &g, err) || !found)
        return err->code;
    o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "generation", (double)g.id);
    cJSON_AddStringToObject(o, "reason", reason_code(why->reason));
    cJSON_AddStringToObject(o, "detail", why->msg);
    body = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    g.state = CONTROL_GEN_QUARANTINED;
    if (control_generation_update(e->control, &g, err))
        return err->code;
    return control_audit_append(e->control, clock_now_ms(), "generation_quarantined",
                                body, err);
}

void selfcheck_quarantine(struct engine *e, const struct err *why)
{
    struct err err = {0};

    if (control_begin(e->control, &err) == ERR_OK) {
        if (write_quarantine(e, why, &err) == ERR_OK)
            (void)control_commit(e->control, &err);
        if (err.code)
            control_rollback(e->control);
    }
    if (err.code)
        log_error("quarantine not recorded", KV_S("detail", err.msg));
    if (!e->job.active || job_state_is_mounted(e->job.state))
        engine_new_epoch(e);
    gen_close(&e->live);
    e->has_checkpoint = false;
    engine_halt(e, why);
    if (e->job.active && job_state_is_mounted(e->job.state))
        jobs_event(e, JOB_EV_CANCEL, "the state it follows was quarantined");
}

static void done(struct engine *e, struct job_task *base)
{
    struct selfcheck *t = (void *)base;

    if (t->generation != e->live.id)
        return; /* replaced meanwhile */
    if (t->err.code == ERR_OK)
        log_info("the live generation is whole", KV_U("generation", t->generation));
    else if (t->err.reason == REASON_STORAGE_CORRUPT)
        selfcheck_quarantine(e, &t->err);
    else if (t->err.code != ERR_CANCELED) /* the daemon is stopping */
        log_warn("self-check not finished, ignoring", KV_S("detail", t->err.msg));
}

static void free_task(struct job_task *base)
{
    free(base);
}

void selfcheck_start(struct engine *e)
{
    struct selfcheck *t;

    if (!e->live.state)
        return;
    t = xcalloc(1, sizeof(*t));
    t->base.task.run = run;
    t->base.done = done;
    t->base.free = free_task;
    t->base.any_epoch = true;
    t->generation = e->live.id;
    memcpy(t->dir, e->live.dir, sizeof(t->dir));
    engine_run(e, &t->base);
}
