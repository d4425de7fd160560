#include <string.h>

#include "sync/trust/trust_rule.h"

/*
 * What trusted nodes derived from genesis themselves.  The state root they speak of is
 * known from the body at the latest; what fails for any root fails before.
 */
struct heard {
    const uint8_t *root; /* the candidate's; NULL: not known yet */
    size_t agree;        /* trusted attesters for it, or for the only root there is */
    size_t differ;
    size_t others; /* not trusted, or signed wrongly */
    bool seen[TRUST_ATTESTERS_MAX];
};

static size_t attester_count(const struct trust_policy *p)
{
    return p->attester_count < TRUST_ATTESTERS_MAX ? p->attester_count
                                                   : TRUST_ATTESTERS_MAX;
}

static const uint8_t *root_of(const struct trust_case *c)
{
    if (c->evidence->has_state_root)
        return c->evidence->state_root;
    return c->candidate->has_state_root ? c->candidate->state_root : NULL;
}

static bool is_about(const struct trust_case *c, const struct trust_statement *s)
{
    return s->type == TRUST_ATTESTATION && s->height == c->candidate->height &&
           memcmp(s->block_hash, c->candidate->block_hash, 32) == 0 &&
           trust_statement_of(s, c->params);
}

/* One that signed two roots is counted for both: it agrees once, and contradicts. */
static void hear(const struct trust_case *c, const struct trust_statement *s,
                 const uint8_t **first, struct heard *h)
{
    size_t trusted = 0;
    bool agrees;

    for (size_t i = 0; i < attester_count(c->policy); i++) {
        if (trust_statement_signed(s, &c->policy->attesters[i], 1) == 0)
            continue;
        trusted++;
        if (!*first)
            *first = s->state_root;
        agrees = memcmp(h->root ? h->root : *first, s->state_root, 32) == 0;
        h->differ += !agrees;
        if (agrees && !h->seen[i]) {
            h->seen[i] = true;
            h->agree++;
        }
    }
    h->others += trusted == 0;
}

static void judge(const struct trust_case *c, const struct heard *h,
                  struct trust_rule_result *r)
{
    trust_rule_saw(r, "%zu attestations%s", h->agree,
                   h->differ > 0 ? ", and another state root" : "");
    if (h->differ > 0)
        trust_rule_fail(r, REASON_ATTESTATION_CONFLICT,
                        "a trusted node derived another state for this block");
    else if (h->agree < c->policy->min_attestations)
        trust_rule_fail(r, REASON_ATTESTATIONS_MISSING,
                        "too few trusted nodes attest this state; %zu others do not "
                        "count",
                        h->others);
    else if (!h->root)
        trust_rule_wait(r, "the body tells the state root: %s",
                        trust_rule_why_not_yet(c->evidence));
    else
        trust_rule_pass(r, "%s", "");
}

void trust_attestation_rule(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    struct heard h = {.root = root_of(c)};
    const uint8_t *first = NULL;

    if (c->policy->min_attestations == 0 && attester_count(c->policy) == 0) {
        trust_rule_unused(r, "checkpoint.min_attestations is 0, and nobody is in "
                             "checkpoint.trusted_attesters");
        return;
    }
    trust_rule_wanted(r, "%u of %zu trusted nodes, and none for another state root",
                      c->policy->min_attestations, attester_count(c->policy));
    if (e->attestations == TRUST_NOT_YET) {
        trust_rule_wait(r, "%s", trust_rule_why_not_yet(e));
        return;
    }
    for (size_t i = 0; i < e->statement_count && i < TRUST_STATEMENTS_MAX; i++)
        if (is_about(c, e->statements[i]))
            hear(c, e->statements[i], &first, &h);
    judge(c, &h, r);
}
