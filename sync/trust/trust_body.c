#include <string.h>

#include "sync/trust/trust_rule.h"

/* The body's own proof, and whether it could be had: settled elsewhere, reported here.
 */

static void report(const struct trust_evidence *e, enum trust_found found,
                   enum reason reason, const char *detail, struct trust_rule_result *r)
{
    switch (found) {
    case TRUST_HOLDS:
        trust_rule_pass(r, "%s", detail ? detail : "");
        return;
    case TRUST_NOT_YET:
        trust_rule_wait(r, "%s", trust_rule_why_not_yet(e));
        return;
    case TRUST_FAILS:
    case TRUST_CANNOT:
        break;
    }
    trust_rule_fail(r, reason, "%s", detail ? detail : "");
}

void trust_body_payload(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    const struct trust_candidate *k = c->candidate;
    enum reason reason = e->payload_reason;

    trust_rule_wanted(r, "hash, form, counts and totals hold");
    if (e->payload == TRUST_HOLDS && e->has_state_root && k->has_state_root &&
        memcmp(e->state_root, k->state_root, 32) != 0) {
        trust_rule_fail(r, REASON_PAYLOAD_HASH_MISMATCH,
                        "the coins have another state root than the checkpoint");
        return;
    }
    report(e, e->payload, reason == REASON_NONE ? REASON_PAYLOAD_MALFORMED : reason,
           e->payload_detail, r);
}

void trust_body_source(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    enum reason reason = e->source_reason;

    trust_rule_wanted(r, "all bytes from a source");
    report(e, e->source, reason == REASON_NONE ? REASON_SOURCE_UNREACHABLE : reason,
           e->source_detail, r);
}
