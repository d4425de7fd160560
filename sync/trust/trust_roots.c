#include <inttypes.h>
#include <string.h>

#include "sync/trust/trust_rule.h"

/*
 * Pinned roots.  One at the checkpoint's own height is compared here; those below, of
 * which genesis is always one, are settled by the header chain, which must lead through
 * them; one above says nothing about a checkpoint until headers reach it.
 */
static bool conflicts(const struct trust_case *c, const struct trust_root *root)
{
    return root->height == c->candidate->height &&
           memcmp(root->hash, c->candidate->block_hash, 32) != 0;
}

static size_t root_count(const struct trust_policy *p)
{
    return p->root_count < TRUST_ROOTS_MAX ? p->root_count : TRUST_ROOTS_MAX;
}

static void judge_below(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;

    if (e->headers != TRUST_HOLDS)
        trust_rule_wait(r, "the header chain settles it: %s",
                        trust_rule_why_not_yet(e));
    else if (e->headers_full)
        trust_rule_pass(r,
                        "headers lead from the root at %" PRIu64 " to the checkpoint",
                        e->headers_from);
    else
        trust_rule_pass(r, "roots below %" PRIu64 " are not settled by a header window",
                        e->headers_from);
}

void trust_roots_agree(const struct trust_case *c, struct trust_rule_result *r)
{
    size_t n = root_count(c->policy);

    trust_rule_saw(r, "height %" PRIu64, c->candidate->height);
    trust_rule_wanted(r, "genesis and %zu pinned root%s", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n; i++) {
        if (!conflicts(c, &c->policy->roots[i]))
            continue;
        trust_rule_fail(r, REASON_CONFLICTS_TRUST_ROOT, "another block is pinned here");
        return;
    }
    if (c->evidence->roots == TRUST_FAILS)
        trust_rule_fail(r, REASON_CONFLICTS_TRUST_ROOT, "%s",
                        c->evidence->roots_detail ? c->evidence->roots_detail
                                                  : "the headers contradict a root");
    else
        judge_below(c, r);
}
