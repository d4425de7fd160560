#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/trust/trust_rule.h"

/* What the candidate says of itself, against what is known already. */

enum { FUTURE_SECONDS = 7200 }; /* what headers are allowed (protocol.md 4) */

void trust_claims_network(const struct trust_case *c, struct trust_rule_result *r)
{
    trust_rule_wanted(r, "%s", c->params->network);
    if (!c->candidate->network) {
        trust_rule_pass(r, "the format names no network; the headers settle it");
        return;
    }
    trust_rule_saw(r, "%s", c->candidate->network);
    if (c->candidate->has_manifest &&
        memcmp(c->candidate->genesis_hash, c->params->genesis_hash, 32) != 0)
        trust_rule_fail(r, REASON_NETWORK_MISMATCH,
                        "the manifest names another genesis block");
    else if (strcmp(c->candidate->network, c->params->network) == 0)
        trust_rule_pass(r, "%s", "");
    else
        trust_rule_fail(r, REASON_NETWORK_MISMATCH,
                        "the checkpoint is of another network");
}

static bool state_hash_is_hex(const char text[65])
{
    uint8_t hash[32];

    return memchr(text, '\0', 65) && hex_hash(text, hash);
}

/* NULL when nothing is wrong. */
static const char *metadata_fault(const struct trust_candidate *k)
{
    if (k->malformed)
        return k->malformed;
    if (!k->has_height)
        return "height: missing";
    if (!k->has_block_hash)
        return "block_hash: missing";
    if (!trust_rule_usable(k))
        return "height: not from 1 to 2^53 - 1";
    if (!k->has_state_hash && !k->has_state_root)
        return "neither state_hash nor state_root is given";
    if (k->has_state_hash && !state_hash_is_hex(k->state_hash))
        return "state_hash: not 64 lower-case hex digits";
    if (k->signature_count > TRUST_SIGNATURES_MAX)
        return "signatures: too many";
    return NULL;
}

void trust_claims_metadata(const struct trust_case *c, struct trust_rule_result *r)
{
    const char *fault = metadata_fault(c->candidate);

    if (c->candidate->has_height)
        trust_rule_saw(r, "height %" PRIu64, c->candidate->height);
    trust_rule_wanted(r, "height, block_hash, and state_hash or state_root");
    if (c->evidence->source == TRUST_FAILS && !c->candidate->has_height &&
        !c->candidate->malformed)
        trust_rule_wait(r, "the source gave nothing to read them from");
    else if (fault)
        trust_rule_fail(r, REASON_METADATA_MALFORMED, "%s", fault);
    else
        trust_rule_pass(r, "%s", "");
}

void trust_claims_delta(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    uint64_t height = c->candidate->height, delta = c->policy->min_delta;

    if (e->forced) {
        trust_rule_unused(r, "an operator asked for this bootstrap");
        return;
    }
    if (!e->has_tip) {
        trust_rule_unused(r, "this node has no blocks yet");
        return;
    }
    trust_rule_saw(r, "height %" PRIu64 ", tip %" PRIu64, height, e->tip_height);
    trust_rule_wanted(r, "at least %" PRIu64 " above the tip", delta);
    if (height >= e->tip_height && height - e->tip_height >= delta)
        trust_rule_pass(r, "%s", "");
    else
        trust_rule_fail(r, REASON_TOO_CLOSE_TO_TIP,
                        "too little to gain over the local tip");
}

/* The latest accepted checkpoint once more: its block, and its coins as far as they are
   claimed or known. */
static bool is_same(const struct trust_candidate *k, const struct trust_evidence *e)
{
    return memcmp(k->block_hash, e->latest_hash, 32) == 0 &&
           (!k->has_state_root ||
            memcmp(k->state_root, e->latest_state_root, 32) == 0) &&
           (!e->has_state_root ||
            memcmp(e->state_root, e->latest_state_root, 32) == 0) &&
           (!k->has_state_hash || e->latest_state_hash[0] == '\0' ||
            strncmp(k->state_hash, e->latest_state_hash, 65) == 0);
}

void trust_claims_replay(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    uint64_t height = c->candidate->height;

    if (!e->has_latest) {
        trust_rule_unused(r, "no checkpoint was accepted before");
        return;
    }
    trust_rule_saw(r, "height %" PRIu64, height);
    trust_rule_wanted(r, "above %" PRIu64 ", or the checkpoint accepted there",
                      e->latest_height);
    if (height > e->latest_height)
        trust_rule_pass(r, "%s", "");
    else if (height < e->latest_height)
        trust_rule_fail(r, REASON_STALE_CHECKPOINT,
                        "below the checkpoint accepted last");
    else if (is_same(c->candidate, e))
        trust_rule_pass(r, "the checkpoint accepted last, once more");
    else
        trust_rule_fail(r, REASON_STALE_CHECKPOINT,
                        "another block or state was accepted at this height");
}

void trust_claims_freshness(const struct trust_case *c, struct trust_rule_result *r)
{
    const struct trust_evidence *e = c->evidence;
    double max_age = (double)c->policy->max_age_seconds;
    double age = (double)e->now_ms / 1000.0 - e->block_time;

    if (c->policy->max_age_seconds == 0) {
        trust_rule_unused(r, "checkpoint.max_age_seconds is 0");
        return;
    }
    trust_rule_wanted(r, "at most %" PRIu64 " s old", c->policy->max_age_seconds);
    if (e->headers != TRUST_HOLDS || !e->has_block_time) {
        trust_rule_wait(r, "the block's time comes with its header: %s",
                        trust_rule_why_not_yet(e));
        return;
    }
    trust_rule_saw(r, "%.0f s old", age);
    if (!(age >= -FUTURE_SECONDS))
        trust_rule_fail(r, REASON_EXPIRED,
                        "the block is dated in the future; check this machine's clock");
    else if (age <= max_age)
        trust_rule_pass(r, "%s", "");
    else
        trust_rule_fail(r, REASON_EXPIRED, "the block is older than allowed");
}
