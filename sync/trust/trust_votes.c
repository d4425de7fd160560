#include <string.h>

#include "base/hex.h"
#include "sync/trust/trust_rule.h"
#include "sync/trust/trust_tally.h"

/* Peers' own word on the block at the candidate's height. */

bool trust_votes_are_in(const struct trust_evidence *e, enum reason reason,
                        struct trust_rule_result *r)
{
    switch (e->votes_collected) {
    case TRUST_HOLDS:
        return true;
    case TRUST_NOT_YET:
        trust_rule_wait(r, "%s", trust_rule_why_not_yet(e));
        return false;
    case TRUST_FAILS:
    case TRUST_CANNOT:
        break;
    }
    trust_rule_fail(r, reason, "no peer could be asked");
    return false;
}

void trust_votes_quorum(const struct trust_case *c, struct trust_rule_result *r)
{
    struct trust_tally t;
    size_t votes;

    if (c->policy->quorum == 0) {
        trust_rule_unused(r, "checkpoint.quorum is 0");
        return;
    }
    trust_rule_wanted(r, "%u peers", c->policy->quorum);
    if (!trust_votes_are_in(c->evidence, REASON_NO_QUORUM, r))
        return;
    trust_tally_make(c->evidence, &t);
    votes = trust_tally_for(c->evidence, &t, c->candidate->block_hash);
    trust_rule_saw(r, "%zu peers", votes);
    if (votes >= c->policy->quorum)
        trust_rule_pass(r, "%s", "");
    else
        trust_rule_fail(r, REASON_NO_QUORUM, "%zu of %zu answers are for this block",
                        votes, t.n);
}

/* The other block of this height that most voted for, of those that meet the quorum too
   and are as widely spread: else whoever has many addresses in one network could hold
   everybody up (docs/adr/0026). */
static const struct trust_vote *rival(const struct trust_case *c,
                                      const struct trust_tally *t, size_t *votes)
{
    const struct trust_vote *found = NULL;

    *votes = 0;
    for (size_t b = 0; b < t->blocks; b++) {
        const struct trust_vote *v = &c->evidence->votes[t->sample[b]];

        if (t->votes[b] < c->policy->quorum || t->votes[b] <= *votes ||
            memcmp(v->block_hash, c->candidate->block_hash, 32) == 0 ||
            trust_diversity_of(c->evidence, t, v->block_hash) < c->policy->min_peers)
            continue;
        *votes = t->votes[b];
        found = v;
    }
    return found;
}

void trust_votes_equivocation(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_vote *other;
    struct trust_tally t;
    size_t votes;
    char hex[65];

    if (c->policy->quorum == 0) {
        trust_rule_unused(r, "checkpoint.quorum is 0");
        return;
    }
    trust_rule_wanted(r, "no other block with %u peers in %u networks",
                      c->policy->quorum, c->policy->min_peers);
    if (!trust_votes_are_in(c->evidence, REASON_NO_QUORUM, r))
        return;
    trust_tally_make(c->evidence, &t);
    other = rival(c, &t, &votes);
    if (!other) {
        trust_rule_pass(r, "%s", "");
        return;
    }
    hex_encode(other->block_hash, 32, hex);
    trust_rule_saw(r, "%zu peers for %s", votes, hex);
    trust_rule_fail(r, REASON_EQUIVOCATION,
                    "another block meets quorum and diversity too");
}
