#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sync/diagnose.h"
#include "sync/errand.h"

static const char *const state_names[] = {
    [ENGINE_IDLE] = "idle",         [ENGINE_DISCOVERING] = "discovering",
    [ENGINE_DECIDING] = "deciding", [ENGINE_PREFLIGHT] = "preflight",
    [ENGINE_FETCHING] = "fetching", [ENGINE_VERIFYING] = "verifying",
    [ENGINE_MOUNTING] = "mounting", [ENGINE_HEADERS] = "headers",
    [ENGINE_BLOCKS] = "blocks",     [ENGINE_FOLLOWING] = "following",
    [ENGINE_HALTED] = "halted",
};

const char *engine_state_name(enum engine_state state)
{
    return state_names[state];
}

void status_init(struct engine *e)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&e->status_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->status_changed, &attr);
    pthread_condattr_destroy(&attr);
}

void status_fini(struct engine *e)
{
    pthread_cond_destroy(&e->status_changed);
    pthread_mutex_destroy(&e->status_lock);
}

void status_stop(struct engine *e)
{
    pthread_mutex_lock(&e->status_lock);
    e->status_stopping = true;
    pthread_cond_broadcast(&e->status_changed);
    pthread_mutex_unlock(&e->status_lock);
}

void engine_status(struct engine *e, struct engine_status *out)
{
    pthread_mutex_lock(&e->status_lock);
    *out = e->status;
    pthread_mutex_unlock(&e->status_lock);
}

bool engine_status_wait(struct engine *e, uint64_t seen, int64_t timeout_ms,
                        bool *stopping)
{
    struct timespec until;
    bool changed;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&e->status_lock);
    while (e->status.seq == seen && !e->status_stopping && rc == 0)
        rc = pthread_cond_timedwait(&e->status_changed, &e->status_lock, &until);
    changed = e->status.seq != seen && !e->status_stopping;
    *stopping = e->status_stopping;
    pthread_mutex_unlock(&e->status_lock);
    return changed;
}

static enum engine_state state_of(const struct engine *e)
{
    if (e->halted)
        return ENGINE_HALTED;
    if (e->job.active && e->job.state >= JOB_DISCOVERING && e->job.state <= JOB_BLOCKS)
        return (enum engine_state)(e->job.state - JOB_DISCOVERING + ENGINE_DISCOVERING);
    if (e->job.active)
        return ENGINE_DISCOVERING;
    return e->live.state ? ENGINE_FOLLOWING : ENGINE_IDLE;
}

static void set_progress(const struct engine *e, struct engine_status *s)
{
    int64_t ms = clock_mono_ms() - e->progress_since_mono_ms;

    (void)snprintf(s->progress.stage, sizeof(s->progress.stage), "%s",
                   engine_state_name(s->state));
    (void)snprintf(s->progress.unit, sizeof(s->progress.unit), "%s",
                   e->unit ? e->unit : "");
    s->progress.done = e->done;
    s->progress.total = e->total;
    s->progress.eta_seconds = -1;
    if (ms >= 250 && e->done > e->progress_since_done)
        s->progress.rate =
            (double)(e->done - e->progress_since_done) * 1000.0 / (double)ms;
    if (s->progress.rate > 0.0 && e->total >= e->done && e->total > 0)
        s->progress.eta_seconds =
            (int64_t)((double)(e->total - e->done) / s->progress.rate + 0.5);
}

static void set_tip(struct engine *e, struct engine_status *s)
{
    struct state_tip tip;
    struct err err;

    s->has_network_height = tips_height(e, &s->network_height);
    if (!e->live.state)
        return;
    if (state_get_tip(e->live.state, &tip, &err)) {
        engine_halt(e, &err);
        return;
    }
    s->has_tip = true;
    s->tip_height = tip.height;
    memcpy(s->tip_hash, tip.hash, 32);
    memcpy(s->tip_work.be, tip.work, WORK_BYTES);
}

static void set_ready(const struct engine *e, struct engine_status *s)
{
    uint64_t behind = s->has_network_height && s->network_height > s->tip_height
                          ? s->network_height - s->tip_height
                          : 0;

    if (s->state != ENGINE_FOLLOWING)
        (void)snprintf(s->ready_why, sizeof(s->ready_why), "the node is %s%s%.120s",
                       engine_state_name(s->state), s->waiting_for[0] ? ": " : "",
                       s->waiting_for);
    else if (!s->has_network_height)
        (void)snprintf(s->ready_why, sizeof(s->ready_why),
                       "no usable peer has told its tip yet");
    else if (behind > e->cfg->ready_max_behind)
        (void)snprintf(s->ready_why, sizeof(s->ready_why), "%llu blocks behind",
                       (unsigned long long)behind);
    else
        s->ready = true;
}

static void set_metrics(struct engine *e, const struct engine_status *s)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    unsigned usable = 0, banned = 0;

    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);

        usable += peer_usable(p, mono, now);
        banned += p->banned_until_ms > now;
    }
    metrics_set(METRIC_PEERS_USABLE, usable);
    metrics_set(METRIC_PEERS_BANNED, banned);
    metrics_set(METRIC_STATE, (double)s->state);
    metrics_set(METRIC_TIP_HEIGHT, (double)s->tip_height);
    metrics_set(METRIC_NETWORK_HEIGHT, (double)s->network_height);
    metrics_set(METRIC_BEHIND, s->has_tip && s->network_height > s->tip_height
                                   ? (double)(s->network_height - s->tip_height)
                                   : 0.0);
    metrics_set(METRIC_CHECKPOINT_HEIGHT, (double)s->checkpoint_height);
    metrics_set(METRIC_INCIDENTS_OPEN, (double)s->incidents_open);
}

void status_publish(struct engine *e)
{
    struct engine_status s;

    memset(&s, 0, sizeof(s)); /* compared as bytes below */
    s.state = state_of(e);
    (void)snprintf(s.waiting_for, sizeof(s.waiting_for), "%s", e->waiting_for);
    s.job_id = e->job.active ? e->job.id : 0;
    set_progress(e, &s);
    errands_publish(e, &s);
    set_tip(e, &s);
    if (e->has_checkpoint) {
        s.has_checkpoint = true;
        s.checkpoint_id = e->checkpoint.id;
        s.checkpoint_height = e->checkpoint.height;
        memcpy(s.checkpoint_hash, e->checkpoint.block_hash, 32);
        (void)snprintf(s.checkpoint_trust, sizeof(s.checkpoint_trust), "%s",
                       e->checkpoint_trust);
    }
    s.generation = e->live.id;
    s.incidents_open = e->incidents_open;
    s.started_ms = e->started_ms;
    set_ready(e, &s);
    diagnose_into(e, &s);
    set_metrics(e, &s);
    pthread_mutex_lock(&e->status_lock);
    s.seq = e->status.seq;
    /* Both were zeroed whole; a difference in padding would only wake somebody.
       NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
    if (memcmp(&s, &e->status, sizeof(s)) != 0) {
        s.seq++;
        e->status = s;
        pthread_cond_broadcast(&e->status_changed);
    }
    pthread_mutex_unlock(&e->status_lock);
}
