#ifndef SYNC_TRUST_TRUST_REPLAY_H
#define SYNC_TRUST_TRUST_REPLAY_H

#include "sync/trust/trust.h"

/*
 * A stored verdict judged again under another policy, from what the document kept:
 * votes, signers, attestations and the figures of its rules.  What it did not keep is
 * not guessed: such a rule is unknown, and so is a decision that hangs on one.  Pure.
 */
enum trust_replayed { TRUST_REPLAY_PASS, TRUST_REPLAY_FAIL, TRUST_REPLAY_UNKNOWN };

struct trust_replay_rule {
    enum trust_replayed result;
    bool changed;         /* it was evaluated then, to something else */
    char why[TRUST_TEXT]; /* when it fails or is unknown */
};

struct trust_replay {
    bool was_accepted;
    enum trust_replayed would; /* accepted, refused, or it cannot be said */
    enum trust_rule decider;   /* of the first rule that fails or is unknown */
    struct trust_replay_rule rules[TRUST_RULE_COUNT];
};

/* verdict: as trust_verdict_json wrote it, of this version or an older one.  False when
   it is none. */
bool trust_replay(const cJSON *verdict, const struct trust_policy *policy,
                  const struct chain_params *params, struct trust_replay *out);

#endif
