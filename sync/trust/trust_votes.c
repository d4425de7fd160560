#include <string.h>

#include "base/hex.h"
#include "sync/trust/trust_rule.h"

/*
 * Peers' own word on the block at the candidate's height.  A vote counts once: not if
 * its identity or its peer has been counted for the same block before, so neither one
 * node on many addresses nor many names on one address make a crowd.
 */
struct tally {
    size_t votes, groups;
};

static size_t vote_count(const struct trust_evidence *e)
{
    return e->vote_count < TRUST_VOTES_MAX ? e->vote_count : TRUST_VOTES_MAX;
}

static const char *identity(const struct trust_vote *v)
{
    return v->identity ? v->identity : v->peer;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool same_voter(const struct trust_vote *a, const struct trust_vote *b)
{
    return same_text(identity(a), identity(b)) || same_text(a->peer, b->peer);
}

/* Votes for hash, counted into *t. */
static void count(const struct trust_evidence *e, const uint8_t hash[32],
                  struct tally *t)
{
    const struct trust_vote *counted[TRUST_VOTES_MAX];
    size_t n = 0;

    *t = (struct tally){0};
    for (size_t i = 0; i < vote_count(e); i++) {
        const struct trust_vote *v = &e->votes[i];
        bool known_voter = !v->peer, known_group = !v->group;

        if (memcmp(v->block_hash, hash, 32) != 0)
            continue;
        for (size_t k = 0; k < n; k++) {
            known_voter = known_voter || same_voter(v, counted[k]);
            known_group = known_group || same_text(v->group, counted[k]->group);
        }
        if (known_voter)
            continue;
        t->groups += !known_group;
        counted[n++] = v;
    }
    t->votes = n;
}

/* False when it already said what there is to say: no votes to look at. */
static bool have_votes(const struct trust_evidence *e, enum reason reason,
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
    struct tally t;

    if (c->policy->quorum == 0) {
        trust_rule_unused(r, "checkpoint.quorum is 0");
        return;
    }
    trust_rule_wanted(r, "%u peers", c->policy->quorum);
    if (!have_votes(c->evidence, REASON_NO_QUORUM, r))
        return;
    count(c->evidence, c->candidate->block_hash, &t);
    trust_rule_saw(r, "%zu peers", t.votes);
    if (t.votes >= c->policy->quorum)
        trust_rule_pass(r, "%s", "");
    else
        trust_rule_fail(r, REASON_NO_QUORUM, "%zu of %zu answers are for this block",
                        t.votes, vote_count(c->evidence));
}

/* Another block of this height that meets the quorum as well; NULL if there is none. */
static const struct trust_vote *rival(const struct trust_case *c, struct tally *t)
{
    const struct trust_evidence *e = c->evidence;

    for (size_t i = 0; i < vote_count(e); i++) {
        const struct trust_vote *v = &e->votes[i];

        if (memcmp(v->block_hash, c->candidate->block_hash, 32) == 0)
            continue;
        count(e, v->block_hash, t);
        if (t->votes >= c->policy->quorum)
            return v;
    }
    return NULL;
}

void trust_votes_equivocation(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_vote *other;
    struct tally t;
    char hex[65];

    if (c->policy->quorum == 0) {
        trust_rule_unused(r, "checkpoint.quorum is 0");
        return;
    }
    trust_rule_wanted(r, "no other block with %u peers", c->policy->quorum);
    if (!have_votes(c->evidence, REASON_NO_QUORUM, r))
        return;
    other = rival(c, &t);
    if (!other) {
        trust_rule_pass(r, "%s", "");
        return;
    }
    hex_encode(other->block_hash, 32, hex);
    trust_rule_saw(r, "%zu peers for %s", t.votes, hex);
    trust_rule_fail(r, REASON_EQUIVOCATION, "another block meets the quorum too");
}

void trust_votes_diversity(const struct trust_case *c, struct trust_rule_result *r)
{
    struct tally t;

    if (c->policy->min_peers == 0) {
        trust_rule_unused(r, "checkpoint.min_peers is 0");
        return;
    }
    trust_rule_wanted(r, "%u network groups", c->policy->min_peers);
    if (!have_votes(c->evidence, REASON_INSUFFICIENT_DIVERSITY, r))
        return;
    count(c->evidence, c->candidate->block_hash, &t);
    trust_rule_saw(r, "%zu network groups", t.groups);
    if (t.groups >= c->policy->min_peers)
        trust_rule_pass(r, "%s", "");
    else
        trust_rule_fail(r, REASON_INSUFFICIENT_DIVERSITY,
                        "the %zu agreeing peers are in %zu network groups", t.votes,
                        t.groups);
}
