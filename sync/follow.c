#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/core.h"

/*
 * Following the network with a mounted state: ask the peers for their tips, walk down
 * from each that is new, and let fork choice move ours.  A job's last two stages,
 * headers and blocks, are this for the first time.
 */

enum { DISK_FULL_WAIT_MS = 10000 };

static void chase_next_tip(struct engine *e);

void follow_start(struct engine *e)
{
    e->poll_at_mono_ms = 0;
    e->choose_again = false;
}

static void tips_done(struct engine *e)
{
    uint64_t height;

    /* Where nobody told a tip nothing came either, and a walk may go on later. */
    if (tips_height(e, &height))
        sweep_begin(&e->sweep);
    e->choose_again = true;
    if (e->job.active && e->job.state == JOB_HEADERS)
        jobs_event(e, JOB_EV_OK, NULL);
    e->choose_again = true; /* entering the stage does not begin anew */
}

/* A full disk may have room again; what else the disk does is for the operator. */
static void trouble(struct engine *e, const struct err *err)
{
    if (err->reason == REASON_STORAGE_CORRUPT) {
        selfcheck_quarantine(e, err);
    } else if (err->reason == REASON_DISK_FULL) {
        (void)snprintf(e->waiting_for, sizeof(e->waiting_for), "%.150s", err->msg);
        log_error("disk full, retrying", KV_S("detail", err->msg),
                  KV_S("hint", reason_hint(err->reason)));
        e->choose_again = false;
        e->poll_at_mono_ms = clock_mono_ms() + DISK_FULL_WAIT_MS;
    } else {
        engine_halt(e, err);
    }
}

static void tip_chased(struct engine *e, enum chase_result result,
                       const struct err *err)
{
    if (result == CHASE_BROKEN && err->code == ERR_IO) {
        trouble(e, err);
        return;
    }
    if (result != CHASE_DONE)
        log_info("a peer's chain was not taken",
                 KV_S("reason", reason_code(err->reason)), KV_S("detail", err->msg));
    chase_next_tip(e);
}

/* Lowest header held: a walk that goes below it cannot be judged. */
static enum errc set_floor(struct engine *e, struct chase_target *t, struct err *err)
{
    struct chaindb_header row;
    bool found;

    if (chaindb_active_at(e->live.db, 0, &found, &row, err))
        return err->code;
    t->has_floor_hash = true;
    if (found) {
        t->floor = 0;
        memcpy(t->floor_hash, row.hash, 32);
        return ERR_OK;
    }
    t->floor = e->live.base_height;
    memcpy(t->floor_hash, e->live.base_hash, 32);
    return ERR_OK;
}

static enum errc want_tip(struct engine *e, const struct peer *p, bool *want,
                          struct err *err)
{
    struct chaindb_header row;
    bool found;

    *want = false;
    if (!p->has_tip || !peer_usable(p, clock_mono_ms(), clock_now_ms()))
        return ERR_OK;
    if (chase_gave_up(e, p->tip_hash, p->tip_height))
        return ERR_OK;
    if (chaindb_header_get(e->live.db, p->tip_hash, &found, &row, err))
        return err->code;
    *want = !found || row.status == CHAINDB_ANCHORED;
    return ERR_OK;
}

static void chase_next_tip(struct engine *e)
{
    size_t n = peers_count(e->peers);

    /* Twice over the peers: what only a few claim waits for the rest. */
    while (e->tips_chased < 2 * n) {
        size_t i = e->tips_chased++;
        struct peer *p = peers_at(e->peers, i < n ? i : i - n);
        struct chase_target t = {.gen = &e->live, .height = p->tip_height};
        struct err err;
        bool want;

        if (i < n && p->has_tip && chase_is_lone(e, p->tip_height))
            continue;
        if (want_tip(e, p, &want, &err) || (want && set_floor(e, &t, &err))) {
            trouble(e, &err);
            return;
        }
        if (!want || t.height <= t.floor)
            continue;
        memcpy(t.hash, p->tip_hash, 32);
        chase_start(e, &t, tip_chased);
        return;
    }
    tips_done(e);
}

static void tips_known(struct engine *e)
{
    e->poll_at_mono_ms = clock_mono_ms() + (int64_t)e->cfg->poll_seconds * 1000;
    e->tips_chased = 0;
    sweep_reset(&e->sweep);
    chase_next_tip(e);
}

static void choose(struct engine *e)
{
    struct err err;
    bool settled = false;

    if (reorg_step(e, &settled, &err)) {
        trouble(e, &err);
        return;
    }
    if (!settled)
        return;
    e->waiting_for[0] = '\0';
    e->choose_again = false;
    if (e->job.active && e->job.state == JOB_BLOCKS) {
        log_info("bootstrap finished", KV_U("job", e->job.id));
        jobs_event(e, JOB_EV_OK, NULL);
    }
}

static void sweep(struct engine *e)
{
    struct err err;

    if (sweep_step(e, &err)) {
        sweep_reset(&e->sweep);
        trouble(e, &err);
    }
}

bool follow_pump(struct engine *e)
{
    int64_t mono = clock_mono_ms();

    if (!e->live.state && !e->job.active && e->retry_at_mono_ms != 0 &&
        mono >= e->retry_at_mono_ms)
        bootstrap_at_start(e);
    if (!e->live.state || e->halted || e->chase.active || e->polls_out > 0 ||
        (e->job.active && !job_state_is_mounted(e->job.state)))
        return false;
    if (e->choose_again)
        choose(e);
    else if (e->sweep.due)
        sweep(e);
    else if (mono >= e->poll_at_mono_ms) {
        e->poll_at_mono_ms = mono + (int64_t)e->cfg->poll_seconds * 1000;
        tips_poll(e, &e->polls_out, tips_known);
    }
    return e->choose_again || e->sweep.due;
}
