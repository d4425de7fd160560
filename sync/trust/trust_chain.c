#include <inttypes.h>

#include "sync/trust/trust_rule.h"

/* What proof of work says about the checkpoint block. */

static bool is_proven(const struct trust_evidence *e)
{
    return e->headers == TRUST_HOLDS && e->headers_full;
}

/* The most that has to be reached. */
static const struct work *wanted_work(const struct trust_case *c)
{
    const struct trust_evidence *e = c->evidence;

    if (e->has_latest && work_compare(&e->latest_work, &c->policy->min_work) > 0)
        return &e->latest_work;
    return &c->policy->min_work;
}

static void judge_no_claim(const struct trust_case *c, struct trust_rule_result *r)
{
    if (work_is_zero(wanted_work(c)))
        trust_rule_pass(r, "no work is claimed, and none is asked for");
    else if (c->evidence->headers == TRUST_HOLDS)
        trust_rule_fail(r, REASON_LOW_WORK,
                        "no work is claimed, and a header window proves none");
    else
        trust_rule_wait(r, "no work is claimed; the headers will tell: %s",
                        trust_rule_why_not_yet(c->evidence));
}

void trust_chain_work(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_candidate *k = c->candidate;
    const struct work *wanted = wanted_work(c), *proven = NULL;
    char text[WORK_TEXT];

    if (is_proven(c->evidence))
        proven = &c->evidence->work;
    work_text(wanted, text);
    trust_rule_wanted(r, "at least %s", text);
    if (k->has_work || proven) {
        work_text(proven ? proven : &k->work, text);
        trust_rule_saw(r, "%s %s", proven ? "proven" : "claimed", text);
    }
    if (proven && work_compare(proven, wanted) < 0)
        trust_rule_fail(r, REASON_LOW_WORK, "the headers prove less work");
    else if (k->has_work && work_compare(&k->work, wanted) < 0)
        trust_rule_fail(r, REASON_LOW_WORK, "the checkpoint claims less work");
    else if (proven || k->has_work)
        trust_rule_pass(r, "%s", "");
    else
        judge_no_claim(c, r);
}

/* HOLDS goes on; the rest is said here. */
static bool holds(const struct trust_evidence *e, enum trust_found found,
                  enum reason reason, const char *detail, struct trust_rule_result *r)
{
    switch (found) {
    case TRUST_HOLDS:
        return true;
    case TRUST_NOT_YET:
        trust_rule_wait(r, "%s", trust_rule_why_not_yet(e));
        return false;
    case TRUST_FAILS:
    case TRUST_CANNOT:
        break;
    }
    trust_rule_fail(r, reason, "%s", detail);
    return false;
}

static void judge_proof(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_candidate *k = c->candidate;
    const struct trust_evidence *e = c->evidence;
    char claim[WORK_TEXT], sum[WORK_TEXT];

    if (e->headers_from > k->height) {
        trust_rule_fail(r, REASON_HEADER_CHAIN_INVALID, "no header was proven");
        return;
    }
    trust_rule_saw(r, "headers %" PRIu64 " to %" PRIu64, e->headers_from, k->height);
    if (!e->headers_full && c->policy->header_proof_full)
        trust_rule_fail(
            r, REASON_HEADER_CHAIN_INVALID,
            "checkpoint.header_proof is full, and the headers do not reach a root");
    else if (!e->headers_full)
        trust_rule_pass(r, "work is claimed, not proven");
    else if (k->has_work && work_compare(&k->work, &e->work) != 0) {
        work_text(&k->work, claim);
        work_text(&e->work, sum);
        trust_rule_fail(r, REASON_WORK_MISMATCH, "claimed %s, proven %s", claim, sum);
    } else {
        trust_rule_pass(r, "work is proven");
    }
}

void trust_chain_headers(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    const char *why = e->headers_detail;

    if (c->policy->header_proof_full)
        trust_rule_wanted(r, "a valid chain from genesis");
    else
        trust_rule_wanted(r, "a valid chain of %" PRIu64 " headers",
                          c->policy->header_window);
    if (holds(e, e->headers, REASON_HEADER_CHAIN_INVALID,
              why ? why : "no valid header chain leads to the block", r))
        judge_proof(c, r);
}

void trust_chain_best(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    const char *why = e->best_chain_detail;

    trust_rule_wanted(r, "on the heaviest chain known");
    if (holds(e, e->best_chain, REASON_NOT_ON_BEST_CHAIN,
              why ? why : "the heaviest chain known is another", r))
        trust_rule_pass(r, "%s", why ? why : "");
}

void trust_chain_confirmations(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;

    if (c->policy->min_confirmations == 0) {
        trust_rule_unused(r, "checkpoint.min_confirmations is 0");
        return;
    }
    trust_rule_wanted(r, "%u blocks", c->policy->min_confirmations);
    if (!holds(e, e->confirmations_collected, REASON_INSUFFICIENT_CONFIRMATIONS,
               "no header above the checkpoint could be had", r))
        return;
    trust_rule_saw(r, "%" PRIu64 " blocks", e->confirmations);
    if (e->confirmations >= c->policy->min_confirmations)
        trust_rule_pass(r, "%s", "");
    else
        trust_rule_fail(r, REASON_INSUFFICIENT_CONFIRMATIONS,
                        "too few blocks stand on the checkpoint");
}

void trust_chain_servable(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;

    trust_rule_wanted(r, "a peer with block %" PRIu64, c->candidate->height + 1);
    if (e->next_block == TRUST_NOT_YET) {
        trust_rule_wait(r, "%s", trust_rule_why_not_yet(e));
        return;
    }
    trust_rule_saw(r, "%u peers", e->next_block_peers);
    if (e->next_block == TRUST_HOLDS && e->next_block_peers > 0)
        trust_rule_pass(r, "%s", "");
    else if (e->at_network_tip)
        trust_rule_pass(r, "the checkpoint is the network's tip");
    else if (e->no_peers && c->policy->quorum == 0 && c->policy->min_confirmations == 0)
        trust_rule_unused(r, "the policy asks no peers, and there are none");
    else
        trust_rule_fail(r, REASON_NO_PEER_SERVES_NEXT_BLOCK,
                        "no peer serves the block after the checkpoint");
}
