#include <string.h>

#include "sync/trust/trust_rule.h"

/*
 * Withdrawn by the operator here, or by any one of the trusted signers: what takes
 * several to vouch for takes one to doubt.  What others sign counts for nothing.
 */
static bool is_about(const struct trust_case *c, const struct trust_statement *s)
{
    return s->type == TRUST_REVOCATION && s->height == c->candidate->height &&
           memcmp(s->block_hash, c->candidate->block_hash, 32) == 0 &&
           trust_statement_of(s, c->params);
}

void trust_revocation_rule(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    size_t keys = c->policy->key_count, others = 0;

    if (keys > TRUST_KEYS_MAX)
        keys = TRUST_KEYS_MAX;
    trust_rule_wanted(r, "not withdrawn by a trusted key or the operator");
    if (e->revoked_by_operator) {
        trust_rule_saw(r, "withdrawn by the operator");
        trust_rule_fail(r, REASON_REVOKED, "%s", e->revoked_by_operator);
        return;
    }
    for (size_t i = 0; i < e->statement_count && i < TRUST_STATEMENTS_MAX; i++) {
        const struct trust_statement *s = e->statements[i];

        if (!is_about(c, s))
            continue;
        if (trust_statement_signed(s, c->policy->keys, keys) > 0) {
            trust_rule_saw(r, "withdrawn by a trusted key");
            trust_rule_fail(r, REASON_REVOKED, "%s", s->reason);
            return;
        }
        others++;
    }
    if (others > 0)
        trust_rule_pass(r, "%zu revocations of keys that are not trusted", others);
    else
        trust_rule_pass(r, "%s", "");
}
