#include <string.h>

#include "sync/trust/trust_rule.h"

static const struct {
    trust_rule_fn *evaluate;
    bool needs_metadata; /* a usable height and block hash */
} rules[TRUST_RULE_COUNT] = {
    [TRUST_RULE_NETWORK] = {trust_claims_network, false},
    [TRUST_RULE_METADATA] = {trust_claims_metadata, false},
    [TRUST_RULE_DELTA] = {trust_claims_delta, true},
    [TRUST_RULE_REPLAY] = {trust_claims_replay, true},
    [TRUST_RULE_FRESHNESS] = {trust_claims_freshness, true},
    [TRUST_RULE_TRUST_ROOT] = {trust_roots_agree, true},
    [TRUST_RULE_REVOCATION] = {trust_revocation_rule, true},
    [TRUST_RULE_QUORUM] = {trust_votes_quorum, true},
    [TRUST_RULE_EQUIVOCATION] = {trust_votes_equivocation, true},
    [TRUST_RULE_DIVERSITY] = {trust_diversity_rule, true},
    [TRUST_RULE_SIGNATURES] = {trust_signers_rule, true},
    [TRUST_RULE_ATTESTATIONS] = {trust_attestation_rule, true},
    [TRUST_RULE_WORK] = {trust_chain_work, false},
    [TRUST_RULE_HEADERS] = {trust_chain_headers, true},
    [TRUST_RULE_BEST_CHAIN] = {trust_chain_best, true},
    [TRUST_RULE_CONFIRMATIONS] = {trust_chain_confirmations, true},
    [TRUST_RULE_SERVABLE] = {trust_chain_servable, true},
    [TRUST_RULE_PAYLOAD] = {trust_body_payload, false},
    [TRUST_RULE_SOURCE] = {trust_body_source, false},
};

const char *trust_rule_name(enum trust_rule rule)
{
    static const char *const names[TRUST_RULE_COUNT] = {
#define X(id, name) [TRUST_RULE_##id] = (name),
        TRUST_RULES(X)
#undef X
    };

    return names[rule];
}

const char *trust_result_name(enum trust_result result)
{
    static const char *const names[] = {
        [TRUST_PASS] = "pass",
        [TRUST_FAIL] = "fail",
        [TRUST_SKIPPED] = "skipped",
        [TRUST_NOT_APPLICABLE] = "not_applicable",
    };

    return names[result];
}

void trust_evaluate(const struct trust_candidate *candidate,
                    const struct trust_evidence *evidence,
                    const struct trust_policy *policy,
                    const struct chain_params *params, struct trust_verdict *out)
{
    const struct trust_case c = {candidate, evidence, policy, params, out};
    bool usable = trust_rule_usable(candidate), pending = false;

    memset(out, 0, sizeof(*out));
    for (enum trust_rule i = 0; i < TRUST_RULE_COUNT; i++) {
        struct trust_rule_result *r = &out->rules[i];

        if (rules[i].needs_metadata && !usable)
            trust_rule_wait(r, "metadata malformed");
        else
            rules[i].evaluate(&c, r);
        pending = pending || r->pending;
        if (r->result == TRUST_FAIL && !out->refused) {
            out->refused = true;
            out->reason = r->reason;
            out->decider = i;
        }
    }
    out->accepted = !out->refused && !pending;
}
