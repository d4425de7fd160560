#ifndef SYNC_TRUST_TRUST_RULE_H
#define SYNC_TRUST_TRUST_RULE_H

#include "sync/trust/trust.h"

/*
 * Private to the room: what a rule sees, and how it says what it found.  A rule is a
 * function that looks at a case and calls one of pass, fail, wait, skip, unused at its
 * end.  All texts are made safe here: printable ASCII, cut at TRUST_TEXT.
 */
struct trust_case {
    const struct trust_candidate *candidate;
    const struct trust_evidence *evidence;
    const struct trust_policy *policy;
    const struct chain_params *params;
    struct trust_verdict *verdict; /* where the signers that held are noted */
};

typedef void trust_rule_fn(const struct trust_case *c, struct trust_rule_result *r);

/* Height and block hash can be used: what later rules need of the metadata. */
bool trust_rule_usable(const struct trust_candidate *c);

void trust_rule_saw(struct trust_rule_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void trust_rule_wanted(struct trust_rule_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void trust_rule_pass(struct trust_rule_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void trust_rule_fail(struct trust_rule_result *r, enum reason reason, const char *fmt,
                     ...) __attribute__((format(printf, 3, 4)));
/* Evidence is still to come. */
void trust_rule_wait(struct trust_rule_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Will not be evaluated, and holds nothing up. */
void trust_rule_skip(struct trust_rule_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The policy or the situation does not ask for it. */
void trust_rule_unused(struct trust_rule_result *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The reason that evidence is missing, for trust_rule_wait. */
const char *trust_rule_why_not_yet(const struct trust_evidence *e);

/* Whether there are votes to count; else the rule's result is said. */
bool trust_votes_are_in(const struct trust_evidence *e, enum reason reason,
                        struct trust_rule_result *r);

/* Anything outside 0x20..0x7e becomes '?', in place. */
void trust_rule_clean(char *text);

trust_rule_fn trust_claims_network, trust_claims_metadata, trust_claims_delta,
    trust_claims_replay, trust_claims_freshness, trust_roots_agree;
trust_rule_fn trust_votes_quorum, trust_votes_equivocation, trust_diversity_rule;
trust_rule_fn trust_signers_rule, trust_revocation_rule, trust_attestation_rule;
trust_rule_fn trust_chain_work, trust_chain_headers, trust_chain_best,
    trust_chain_confirmations, trust_chain_servable;
trust_rule_fn trust_body_payload, trust_body_source;

#endif
