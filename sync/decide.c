#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "sync/core.h"
#include "sync/peer/stock.h"

/*
 * The deciding stage: everything that can be known of a checkpoint without its body.
 * In the order of cost: the claims themselves, the peers' blocks at that height, the
 * header chain down to genesis, the peers' chains above it.  After each the rules run,
 * and the first that fails ends it.
 */
enum { VOTE_TIMEOUT_MS = 15000, CONNECT_TIMEOUT_MS = 5000, BLOCK_TEXT_MAX = 8 << 20 };

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

/* A chain that this node has validated itself, with more work than any the peers offer
   now, and the candidate is not on it.  An operator may leave it all the same. */
static enum errc weigh_own(struct engine *e, const struct chaindb_header *best,
                           struct err *err)
{
    struct job *j = &e->job;
    struct chaindb_header row;
    struct state_tip tip;
    bool found;

    if (!e->live.state || j->forced)
        return ERR_OK;
    if (state_get_tip(e->live.state, &tip, err) ||
        chaindb_active_at(e->live.db, j->meta.height, &found, &row, err))
        return err->code;
    if (memcmp(tip.work, best->work, WORK_BYTES) <= 0 ||
        (found && memcmp(row.hash, j->candidate.block_hash, 32) == 0))
        return ERR_OK;
    j->evidence.best_chain = TRUST_FAILS;
    (void)snprintf(
        j->best_detail, sizeof(j->best_detail),
        "our own validated chain, up to height %llu, has more work without it",
        (unsigned long long)tip.height);
    return ERR_OK;
}

static enum errc weigh_best(struct engine *e, struct err *err)
{
    struct job *j = &e->job;
    struct chaindb *db = e->building.db;
    struct chaindb_header best, row;
    bool found;

    if (chaindb_header_best(db, &found, &best, err))
        return err->code;
    row = best;
    while (found && row.height > j->meta.height)
        if (chaindb_header_get(db, row.prev, &found, &row, err))
            return err->code;
    j->evidence.confirmations_collected = TRUST_HOLDS;
    if (found && memcmp(row.hash, j->candidate.block_hash, 32) == 0) {
        j->evidence.best_chain = TRUST_HOLDS;
        j->evidence.confirmations = best.height - j->meta.height;
        return weigh_own(e, &best, err);
    }
    j->evidence.best_chain = TRUST_FAILS;
    (void)snprintf(j->best_detail, sizeof(j->best_detail),
                   "the heaviest chain known, up to height %llu, does not contain it",
                   (unsigned long long)best.height);
    return ERR_OK;
}

static enum errc count_servers(struct engine *e, struct err *err)
{
    struct job *j = &e->job;
    int64_t now = clock_now_ms(), mono = clock_mono_ms();
    uint64_t top = 0;

    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);
        struct chaindb_header row;
        bool found;

        if (!peer_usable(p, mono, now) || !p->has_tip ||
            p->tip_height <= j->meta.height)
            continue;
        if (chaindb_header_get(e->building.db, p->tip_hash, &found, &row, err))
            return err->code;
        j->evidence.next_block_peers += found && row.status == CHAINDB_VALID;
    }
    j->evidence.next_block =
        j->evidence.next_block_peers > 0 ? TRUST_HOLDS : TRUST_FAILS;
    j->evidence.at_network_tip = tips_height(e, &top) && top <= j->meta.height;
    return ERR_OK;
}

static void conclude(struct engine *e)
{
    struct err err;

    if (weigh_best(e, &err) || count_servers(e, &err)) {
        jobs_fail(e, &err);
        return;
    }
    if (refused(e))
        return;
    if (e->job.dry_run) {
        struct trust_verdict v;

        verdicts_evaluate(e, &v);
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

        if (!p->has_tip || !peer_usable(p, mono, now) || p->tip_height <= t.floor)
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

/* Whoever was caught lying about the blocks below has no word in it.  (Above, a lax
   node may follow what we refuse, and still be right about the checkpoint.) */
static void drop_liars(struct job *j)
{
    int64_t now = clock_now_ms();
    size_t kept = 0;

    for (size_t i = 0; i < j->vote_count; i++)
        if (j->votes[i].peer->banned_until_ms <= now)
            j->votes[kept++] = j->votes[i];
    j->vote_count = kept;
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
        drop_liars(j);
    } else {
        j->evidence.headers = result == CHASE_REFUSED ? TRUST_FAILS : TRUST_CANNOT;
        (void)snprintf(j->headers_detail, sizeof(j->headers_detail), "%.180s",
                       why->msg);
        note_root_conflict(e, why);
    }
    if (refused(e))
        return;
    j->tips_chased = 0;
    chase_next_tip(e);
}

/* The coins can rest on the signatures that the policy asks for. */
bool decide_headers_alone(const struct engine *e)
{
    const struct trust_policy *policy = &e->cfg->policy;

    return policy->header_proof_full && !policy->compare_coins_always &&
           policy->threshold > 0 && e->job.kind != INTAKE_GENESIS;
}

static void prove(struct engine *e)
{
    struct job *j = &e->job;
    const struct trust_policy *policy = &e->cfg->policy;
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
    memcpy(t.floor_hash, e->cfg->params->genesis_hash, 32);
    memcpy(t.hash, j->candidate.block_hash, 32);
    chase_start(e, &t, proven);
}

/* --- second: what the peers have at that height --- */

static void votes_in(struct engine *e)
{
    e->job.evidence.votes_collected = e->job.evidence.attestations = TRUST_HOLDS;
    if (!refused(e))
        prove(e);
}

static void one_vote_less(struct engine *e)
{
    if (--e->job.votes_out == 0)
        votes_in(e);
}

static void on_vote_decoded(struct engine *e, struct job_task *t)
{
    struct decoded *d = (void *)t;
    struct job *j = &e->job;

    if (!d->err.code && d->header.height != j->meta.height)
        (void)err_fail(&d->err, REASON_BLOCK_HASH_MISMATCH,
                       "a block of another height");
    if (d->err.code) {
        peer_blame(d->peer, PEER_FAULT_LIE, d->err.reason, 0, d->err.msg,
                   clock_mono_ms(), clock_now_ms());
    } else if (j->vote_count < TRUST_VOTES_MAX) {
        struct vote *v = &j->votes[j->vote_count++];

        v->peer = d->peer;
        memcpy(v->block_hash, d->header.hash, 32);
    }
    one_vote_less(e);
}

static void on_vote(struct engine *e, const struct fetch *f, struct transfer_request *r)
{
    struct decoded *d;

    if (r->err.code || r->status != 200) {
        one_vote_less(e);
        return;
    }
    d = decoded_new(r, f->peer, e->cfg->params);
    d->base.done = on_vote_decoded;
    engine_run(e, &d->base);
}

static void ask_votes(struct engine *e)
{
    struct job *j = &e->job;
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    j->votes_out = 1;
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);
        struct transfer_request *r;
        AUTOFREE char *url = NULL;

        if (!peer_usable(p, mono, now) || !engine_can_fetch(e))
            continue;
        url = stock_url_block(p->url, j->meta.height);
        r = transfer_request_new(url);
        r->max_bytes = BLOCK_TEXT_MAX;
        r->timeout_ms = VOTE_TIMEOUT_MS;
        r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
        j->votes_out += engine_fetch(e, r, &(struct fetch){.peer = p, .done = on_vote});
    }
    one_vote_less(e);
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
