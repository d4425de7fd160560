#include <string.h>

#include "sync/trust/trust_rule.h"
#include "sync/trust/trust_tally.h"

/*
 * How many networks the agreeing peers span: the most of them of whom no two share a
 * network group or, where it is known, an AS.  Adding a voter never lowers it, and
 * neither the order of the votes nor a choice of addresses changes what one network can
 * do: all of a /16 are one, and so are all of an AS.  It is a matching of groups with
 * ASes, found by augmenting paths.
 */
enum { NONE = UINT16_MAX };

struct graph {
    size_t groups;
    uint16_t group[TRUST_VOTES_MAX], as[TRUST_VOTES_MAX];  /* ranks, of each vote */
    uint16_t head[TRUST_VOTES_MAX], next[TRUST_VOTES_MAX]; /* a group's votes */
    bool alone[TRUST_VOTES_MAX]; /* group: has a voter of unknown AS, who needs none */
    uint16_t as_group[TRUST_VOTES_MAX]; /* matched: AS to group, group to AS */
    uint16_t group_as[TRUST_VOTES_MAX];
};

static int by_group(const struct trust_vote *a, const struct trust_vote *b)
{
    return strcmp(a->group ? a->group : "", b->group ? b->group : "");
}

static int by_as(const struct trust_vote *a, const struct trust_vote *b)
{
    return (a->as_number > b->as_number) - (a->as_number < b->as_number);
}

static void make(const struct trust_evidence *e, const struct trust_tally *t,
                 const uint8_t hash[32], struct graph *g)
{
    memset(g, 0, sizeof(*g));
    g->groups = trust_tally_rank(e, t->n, by_group, g->group);
    (void)trust_tally_rank(e, t->n, by_as, g->as);
    memset(g->head, 0xff, sizeof(g->head));
    memset(g->as_group, 0xff, sizeof(g->as_group));
    memset(g->group_as, 0xff, sizeof(g->group_as));
    for (size_t i = 0; i < t->n; i++) {
        const struct trust_vote *v = &e->votes[i];

        if (!t->counted[i] || !v->group || memcmp(v->block_hash, hash, 32) != 0)
            continue;
        if (v->as_number == 0)
            g->alone[g->group[i]] = true;
        g->next[i] = g->head[g->group[i]];
        g->head[g->group[i]] = (uint16_t)i;
    }
}

/* The path that ends at a free AS, backwards: each group on it takes the AS it came
   from, and gives its own to the one before. */
static void augment(struct graph *g, const uint16_t from[TRUST_VOTES_MAX], uint16_t as)
{
    while (as != NONE) {
        uint16_t group = from[as], before = g->group_as[group];

        g->group_as[group] = as;
        g->as_group[as] = group;
        as = before;
    }
}

/* Breadth first over groups: from this one to any AS of its voters, and from an AS that
   is taken to the group that has it. */
static bool match(struct graph *g, uint16_t start)
{
    uint16_t queue[TRUST_VOTES_MAX], from[TRUST_VOTES_MAX];
    size_t len = 0;

    memset(from, 0xff, sizeof(from));
    queue[len++] = start;
    for (size_t at = 0; at < len; at++) {
        for (uint16_t i = g->head[queue[at]]; i != NONE; i = g->next[i]) {
            uint16_t as = g->as[i];

            if (from[as] != NONE)
                continue;
            from[as] = queue[at];
            if (g->as_group[as] == NONE) {
                augment(g, from, as);
                return true;
            }
            queue[len++] = g->as_group[as]; /* each AS once, so each group once */
        }
    }
    return false;
}

size_t trust_diversity_of(const struct trust_evidence *e, const struct trust_tally *t,
                          const uint8_t hash[32])
{
    struct graph g;
    size_t n = 0;

    make(e, t, hash, &g);
    for (size_t i = 0; i < g.groups; i++)
        n += g.alone[i] || (g.head[i] != NONE && match(&g, (uint16_t)i));
    return n;
}

void trust_diversity_rule(const struct trust_case *c, struct trust_rule_result *r)
{
    struct trust_tally t;
    size_t groups;

    if (c->policy->min_peers == 0) {
        trust_rule_unused(r, "checkpoint.min_peers is 0");
        return;
    }
    trust_rule_wanted(r, "%u network groups", c->policy->min_peers);
    if (!trust_votes_are_in(c->evidence, REASON_INSUFFICIENT_DIVERSITY, r))
        return;
    trust_tally_make(c->evidence, &t);
    groups = trust_diversity_of(c->evidence, &t, c->candidate->block_hash);
    trust_rule_saw(r, "%zu network groups", groups);
    if (groups >= c->policy->min_peers)
        trust_rule_pass(r, "%s", "");
    else
        trust_rule_fail(r, REASON_INSUFFICIENT_DIVERSITY,
                        "the %zu agreeing peers are in %zu network groups",
                        trust_tally_for(c->evidence, &t, c->candidate->block_hash),
                        groups);
}
