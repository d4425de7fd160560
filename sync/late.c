#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/core.h"

/*
 * A peer that was rate limited or slow for a moment backs off, and is not asked while
 * the deciding stage asks around.  Should the verdict fail for want of peers, those
 * that will be back soon are waited for and asked; for so long in all, so that a peer
 * that is never there holds nothing up.
 */
enum {
    PATIENCE_MS = 20000, /* peer_blame's 1, 2, 4 and 8 s */
    PAUSE_MS = 250,      /* at least, between two times of asking */
};

static bool is_reachable(const struct peer *p)
{
    return p->banned_until_ms <= clock_now_ms() &&
           (p->kind == PEER_HTTP || p->conn != 0);
}

static bool has_no_vote(const struct engine *e, const struct peer *p)
{
    return !e->job.voted[p->slot];
}

/* Nothing heard of it; or heard, but it does not count while it backs off. */
static bool has_no_tip(const struct engine *e, const struct peer *p)
{
    return !e->job.tip_heard[p->slot] || p->backoff_until_mono_ms > clock_mono_ms();
}

/* How many there are that lack() and will be back by the deadline; *first: when. */
static size_t count(struct engine *e,
                    bool (*lack)(const struct engine *e, const struct peer *p),
                    int64_t *first)
{
    size_t n = 0;

    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (!is_reachable(p) || !lack(e, p) ||
            p->backoff_until_mono_ms > e->job.late_until_mono_ms)
            continue;
        if (n++ == 0 || p->backoff_until_mono_ms < *first)
            *first = p->backoff_until_mono_ms;
    }
    return n;
}

static bool wait_for(struct engine *e, const struct trust_verdict *v,
                     bool (*lack)(const struct engine *e, const struct peer *p),
                     size_t least, void (*next)(struct engine *e))
{
    struct job *j = &e->job;
    int64_t mono = clock_mono_ms();
    size_t n;

    if (j->late_until_mono_ms == 0)
        j->late_until_mono_ms = mono + PATIENCE_MS;
    n = count(e, lack, &j->late_at_mono_ms);
    if (n == 0 || n < least || mono + PAUSE_MS > j->late_until_mono_ms)
        return false;
    if (j->late_at_mono_ms < mono + PAUSE_MS)
        j->late_at_mono_ms = mono + PAUSE_MS;
    j->late_next = next;
    (void)snprintf(e->waiting_for, sizeof(e->waiting_for),
                   "peers that are backing off (%zu): it would be %s without them", n,
                   reason_code(v->reason));
    log_info("waiting for peers that are backing off", KV_U("peers", n),
             KV_S("reason", reason_code(v->reason)),
             KV_U("ms", (uint64_t)(j->late_at_mono_ms - mono)));
    return true;
}

static size_t votes_for(const struct job *j)
{
    size_t n = 0;

    for (size_t i = 0; i < j->vote_count; i++)
        n += memcmp(j->votes[i].block_hash, j->candidate.block_hash, 32) == 0;
    return n;
}

bool late_votes(struct engine *e, const struct trust_verdict *v,
                void (*next)(struct engine *e))
{
    size_t have = votes_for(&e->job), want = e->policy.rules.quorum;

    if (!v->refused ||
        (v->decider != TRUST_RULE_QUORUM && v->decider != TRUST_RULE_DIVERSITY))
        return false;
    return wait_for(e, v, has_no_vote, want > have ? want - have : 1, next);
}

bool late_tips(struct engine *e, const struct trust_verdict *v,
               void (*next)(struct engine *e))
{
    if (!v->refused ||
        (v->decider != TRUST_RULE_BEST_CHAIN &&
         v->decider != TRUST_RULE_CONFIRMATIONS && v->decider != TRUST_RULE_SERVABLE))
        return false;
    return wait_for(e, v, has_no_tip, 1, next);
}

void late_pump(struct engine *e)
{
    struct job *j = &e->job;
    void (*next)(struct engine * e) = j->late_next;

    if (!next || clock_mono_ms() < j->late_at_mono_ms)
        return;
    j->late_next = NULL;
    e->waiting_for[0] = '\0';
    next(e);
}
