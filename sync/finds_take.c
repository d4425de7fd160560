#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/core.h"
#include "sync/intake.h"

/* What is done with what peers offer: a job without a source takes the best, and a node
   without a state starts such a job when enough peers are there to ask about it. */
enum { GATHER_MS = 60000 /* that long an offer waits for enough peers */ };

static void remember_taken(struct finds *f, const struct find *k)
{
    f->taken = (struct finds_refusal){.height = k->meta.height};
    (void)snprintf(f->taken.block_hash, sizeof(f->taken.block_hash), "%s",
                   k->meta.block_hash);
    (void)snprintf(f->taken.state_hash, sizeof(f->taken.state_hash), "%s",
                   k->meta.state_hash);
    (void)snprintf(f->taken.url, sizeof(f->taken.url), "%s", k->url);
}

static void give_to_job(struct engine *e, struct find *k)
{
    struct job *j = &e->job;
    struct err err;

    j->offered = true;
    j->hostile = k->hostile;
    remember_taken(&e->finds, k);
    if (k->payload) {
        (void)snprintf(j->source, sizeof(j->source), "%s", k->offers[0]->url);
        if (intake_write(e, k->payload, &err)) {
            jobs_fail(e, &err);
            return;
        }
    } else {
        (void)snprintf(j->source, sizeof(j->source), "%s", k->url);
    }
    intake_metadata(e);
}

static void none_for_job(struct engine *e)
{
    struct err err;

    (void)err_fail(&err, REASON_NO_CANDIDATE, "no peer offers a checkpoint to take");
    jobs_fail(e, &err);
}

void finds_for_job(struct engine *e)
{
    struct find *best = finds_best(e);

    if (best && e->finds.ends_at_mono_ms == 0)
        give_to_job(e, best);
    else if (e->finds.ends_at_mono_ms == 0)
        finds_round_begin(e); /* finds_pump comes back to it */
}

static bool job_waits(const struct engine *e)
{
    return e->job.active && e->job.state == JOB_DISCOVERING &&
           e->job.kind == INTAKE_PEERS && !e->job.offered;
}

/* --- on its own --- */

static bool enough(const struct engine *e, size_t peers, size_t networks)
{
    return peers >= e->policy.rules.quorum && networks >= e->policy.rules.min_peers;
}

bool finds_enough(struct engine *e)
{
    size_t peers, networks;

    finds_reach(e, &peers, &networks);
    return enough(e, peers, networks);
}

static void say_missing(struct engine *e, const struct find *best, size_t peers,
                        size_t networks)
{
    char offer[64] = "nobody offers one";

    if (best)
        (void)snprintf(offer, sizeof(offer), "one of height %llu is on offer",
                       (unsigned long long)best->meta.height);
    else if (e->finds.count > 0)
        (void)snprintf(offer, sizeof(offer), "%zu on offer, none to take",
                       e->finds.count);
    (void)snprintf(e->waiting_for, sizeof(e->waiting_for),
                   "a checkpoint: %s; %zu of %u peers, %zu of %u networks are there",
                   offer, peers, e->policy.rules.quorum, networks,
                   e->policy.rules.min_peers);
}

static void start(struct engine *e, bool full)
{
    struct engine_request req = {.op = ENGINE_SYNC_START, .full = full};
    cJSON *result = NULL;
    struct err err;

    e->finds.offered_at_mono_ms = clock_mono_ms(); /* the next waits anew */
    if (jobs_start(e, &req, &result, &err))
        log_warn("a bootstrap did not start", KV_S("detail", err.msg));
    cJSON_Delete(result);
}

/* The policy's last resort: every block, from genesis. */
static bool is_time_for_genesis(const struct engine *e, int64_t mono)
{
    return e->cfg->fallback_genesis_seconds > 0 && e->finds.alone_since_mono_ms > 0 &&
           mono - e->finds.alone_since_mono_ms >=
               (int64_t)e->cfg->fallback_genesis_seconds * 1000;
}

bool finds_possible(struct engine *e)
{
    bool cairn = e->p2p != NULL;

    for (size_t i = 0; i < peers_count(e->peers) && !cairn; i++)
        cairn = peers_at(e->peers, i)->cairn;
    return cairn;
}

static bool is_wanted(struct engine *e)
{
    return !e->live.state && !e->job.active && !e->halted &&
           e->cfg->bootstrap_at_start && e->cfg->checkpoint_url[0] == '\0' &&
           finds_possible(e);
}

/* Cairns over HTTP are asked by the job, or by listing_pump. */
static bool is_listing(const struct engine *e)
{
    return e->job.active ? e->job.greetings_out > 0 || e->job.listings_out > 0
                         : e->listings_out > 0;
}

/* True when a job was waiting for the round's end. */
static bool end_round(struct engine *e)
{
    struct find *best;

    finds_round_end(e);
    if (!job_waits(e))
        return false;
    best = finds_best(e);
    if (best)
        give_to_job(e, best);
    else
        none_for_job(e);
    return true;
}

static bool is_round_over(struct engine *e, int64_t mono)
{
    const struct finds *f = &e->finds;

    return (f->out == 0 && !is_listing(e)) || mono >= f->ends_at_mono_ms ||
           finds_round_enough(e, mono);
}

/* What is on offer between two rounds. */
static void consider(struct engine *e, int64_t mono)
{
    struct finds *f = &e->finds;
    struct find *best = finds_best(e);
    size_t peers, networks;

    if (best)
        f->alone_since_mono_ms = 0;
    else if (f->alone_since_mono_ms == 0)
        f->alone_since_mono_ms = mono;
    finds_reach(e, &peers, &networks);
    say_missing(e, best, peers, networks);
    if (best &&
        (enough(e, peers, networks) || mono - f->offered_at_mono_ms >= GATHER_MS))
        start(e, false);
    else if (!best && peers > 0 && is_time_for_genesis(e, mono))
        start(e, true);
    else if (mono >= f->next_at_mono_ms && peers > 0)
        finds_round_begin(e);
}

void finds_pump(struct engine *e)
{
    struct finds *f = &e->finds;
    int64_t mono = clock_mono_ms();

    if (f->ends_at_mono_ms != 0 && is_round_over(e, mono) && end_round(e))
        return;
    if (f->ends_at_mono_ms == 0 && is_wanted(e))
        consider(e, mono);
}
