#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "sync/body.h"
#include "sync/core.h"

/*
 * The deciding stage: everything that can be known of a checkpoint without its body.
 * In the order of cost: the claims themselves, the peers' blocks at that height, the
 * header chain down to genesis, the peers' chains above it.  After each the rules run,
 * and the first that fails ends it.
 */
static void chase_next_tip(struct engine *e);

/* True when a rule up to last fails: the verdict is out, and the job with it. */
static bool refused_by(struct engine *e, enum trust_rule last)
{
    struct trust_verdict v;

    verdicts_evaluate(e, &v);
    if (!v.refused || v.decider > last)
        return false;
    verdicts_reject(e, &v);
    return true;
}

static bool refused(struct engine *e)
{
    return refused_by(e, TRUST_RULE_SOURCE);
}

/* --- last: what is above the checkpoint --- */

static void chase_tips(struct engine *e)
{
    e->job.tips_chased = 0;
    chase_next_tip(e);
}

static void ask_tips_again(struct engine *e)
{
    tips_poll(e, &e->job.tips_out, chase_tips);
}

static void conclude(struct engine *e)
{
    struct trust_verdict v;
    struct err err;

    if (weigh_candidate(e, &err)) {
        jobs_fail(e, &err);
        return;
    }
    verdicts_evaluate(e, &v);
    if (late_tips(e, &v, ask_tips_again) || refused(e))
        return;
    if (e->job.dry_run) {
        verdicts_dry_run(e, &v);
        return;
    }
    jobs_event(e, JOB_EV_OK, NULL);
}

static void note_root_conflict(struct engine *e, const struct err *err)
{
    if (err->reason != REASON_CONFLICTS_TRUST_ROOT)
        return;
    e->job.evidence.roots = TRUST_FAILS;
    (void)snprintf(e->job.roots_detail, sizeof(e->job.roots_detail), "%.180s",
                   err->msg);
}

static void tip_chased(struct engine *e, enum chase_result result,
                       const struct err *err)
{
    if (result == CHASE_BROKEN && err->code == ERR_IO) {
        jobs_fail(e, err);
        return;
    }
    if (result != CHASE_DONE) {
        note_root_conflict(e, err);
        log_info("a peer's chain was not taken", KV_S("detail", err->msg));
    }
    chase_next_tip(e);
}

static void chase_next_tip(struct engine *e)
{
    struct job *j = &e->job;
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    while (j->tips_chased < peers_count(e->peers)) {
        struct peer *p = peers_at(e->peers, j->tips_chased++);
        struct chaindb_header row;
        struct chase_target t = {.gen = &e->building,
                                 .height = p->tip_height,
                                 .floor = j->evidence.headers_from,
                                 .has_floor_hash = j->evidence.headers_full};
        struct err err;
        bool found;

        if (!p->has_tip || !peer_usable(p, mono, now))
            continue;
        j->tip_heard[p->slot] = true;
        if (p->tip_height <= t.floor)
            continue;
        if (chaindb_header_get(e->building.db, p->tip_hash, &found, &row, &err)) {
            jobs_fail(e, &err);
            return;
        }
        if (found && row.status != CHAINDB_ANCHORED)
            continue;
        memcpy(t.hash, p->tip_hash, 32);
        memcpy(t.floor_hash, e->cfg->params->genesis_hash, 32);
        chase_start(e, &t, tip_chased);
        return;
    }
    conclude(e);
}

/* --- third: the header chain below --- */

static enum errc headers_hold(struct engine *e, struct err *err)
{
    struct job *j = &e->job;
    struct chaindb_header row;
    bool found;

    if (chaindb_header_get(e->building.db, j->candidate.block_hash, &found, &row, err))
        return err->code;
    j->evidence.headers = TRUST_HOLDS;
    j->evidence.block_time = row.timestamp;
    j->evidence.has_block_time = true;
    memcpy(j->checkpoint_work.be, row.work, WORK_BYTES);
    j->evidence.work = j->checkpoint_work;
    return ERR_OK;
}

static void proven(struct engine *e, enum chase_result result, const struct err *why)
{
    struct job *j = &e->job;
    struct err err = *why;

    if ((result == CHASE_BROKEN && why->code == ERR_IO) ||
        (result == CHASE_DONE && headers_hold(e, &err))) {
        jobs_fail(e, &err);
        return;
    }
    if (result == CHASE_DONE) {
        votes_drop_liars(j);
    } else {
        j->evidence.headers = result == CHASE_REFUSED ? TRUST_FAILS : TRUST_CANNOT;
        (void)snprintf(j->headers_detail, sizeof(j->headers_detail), "%.180s",
                       why->msg);
        note_root_conflict(e, why);
    }
    if (!refused(e))
        chase_tips(e);
}

/* The coins can rest on the signatures that the policy asks for. */
bool decide_headers_alone(const struct engine *e)
{
    const struct trust_policy *policy = &e->policy.rules;

    return policy->header_proof_full && !policy->compare_coins_always &&
           policy->threshold > 0 && e->job.kind != INTAKE_GENESIS;
}

static void prove(struct engine *e)
{
    struct job *j = &e->job;
    const struct trust_policy *policy = &e->policy.rules;
    struct chase_target t = {
        .gen = &e->building, .height = j->meta.height, .proof = true};

    /* A pinned root has no work, so a proof of work begins at genesis all the same. */
    j->evidence.headers_full =
        policy->header_proof_full || j->meta.height < policy->header_window;
    if (!j->evidence.headers_full)
        t.floor = j->meta.height - policy->header_window;
    j->evidence.headers_from = t.floor;
    t.has_floor_hash = j->evidence.headers_full;
    t.headers_alone = decide_headers_alone(e);
    t.kept = body_path(e);
    memcpy(t.floor_hash, e->cfg->params->genesis_hash, 32);
    memcpy(t.hash, j->candidate.block_hash, 32);
    chase_start(e, &t, proven);
}

/* --- second: what the peers have at that height --- */

static void votes_in(struct engine *e);

static void ask_votes(struct engine *e)
{
    votes_ask(e, votes_in);
}

static void votes_in(struct engine *e)
{
    struct trust_verdict v;

    e->job.evidence.votes_collected = e->job.evidence.attestations = TRUST_HOLDS;
    verdicts_evaluate(e, &v);
    if (!late_votes(e, &v, ask_votes) && !refused(e))
        prove(e);
}

/* --- first: the claims --- */

void decide_enter(struct engine *e)
{
    struct err err;

    if (verdicts_begin(e, &err)) {
        jobs_fail(e, &err);
        return;
    }
    if (e->job.kind == INTAKE_GENESIS)
        prove(e); /* the root of all roots: nothing to vote on */
    else if (!refused_by(e, TRUST_RULE_REVOCATION))
        ask_votes(e); /* cheap, and no_quorum comes before what is wrong further down */
}
