#include <string.h>

#include "base/hex.h"
#include "sync/chain/rules.h"
#include "sync/trust/trust_rule.h"

/* Who vouches for this very state: its signers, and nodes that derived it themselves.
 */

enum { NOT_TRUSTED = TRUST_KEYS_MAX };

struct signers {
    size_t complete; /* with both key and signature */
    size_t good;     /* distinct trusted keys that signed */
    size_t bad;      /* trusted keys, wrong signature */
    bool signed_by[TRUST_KEYS_MAX];
};

static size_t key_count(const struct trust_policy *p)
{
    return p->key_count < TRUST_KEYS_MAX ? p->key_count : TRUST_KEYS_MAX;
}

/* Index of the first trusted key that is this point, however spelled. */
static size_t find_key(const struct trust_policy *p, const char *text)
{
    struct trust_key key;

    if (!trust_key_parse(text, &key) || key.alg != TRUST_SECP256K1)
        return NOT_TRUSTED; /* XAI's digest is signed with secp256k1 alone */
    for (size_t i = 0; i < key_count(p); i++)
        if (trust_key_equal(&p->keys[i], &key))
            return i;
    return NOT_TRUSTED;
}

static bool verify(const struct trust_key *key, const char *hex,
                   const uint8_t digest[32])
{
    uint8_t sig[64];

    return strlen(hex) == 128 && hex_decode(hex, 64, false, sig) &&
           ecdsa_check_digest(key->bytes, 33, digest, sig);
}

static void check_signatures(const struct trust_case *c, struct signers *s)
{
    const struct trust_candidate *k = c->candidate;
    uint8_t digest[32];

    *s = (struct signers){0};
    trust_digest(k->height, k->block_hash, k->state_hash, digest);
    for (size_t i = 0; i < k->signature_count && i < TRUST_SIGNATURES_MAX; i++) {
        const char *pubkey = k->signatures[i].pubkey, *sig = k->signatures[i].signature;
        size_t at;

        if (!pubkey || !sig)
            continue;
        s->complete++;
        at = find_key(c->policy, pubkey);
        if (at == NOT_TRUSTED)
            continue;
        if (!verify(&c->policy->keys[at], sig, digest)) {
            s->bad++;
        } else if (!s->signed_by[at]) {
            s->signed_by[at] = true;
            s->good++;
        }
    }
}

static void refuse(const struct trust_case *c, const struct signers *s,
                   struct trust_rule_result *r)
{
    if (s->complete == 0)
        trust_rule_fail(r, REASON_UNSIGNED, "no signature with its public key");
    else if (s->bad > 0)
        trust_rule_fail(r, REASON_BAD_SIGNATURE,
                        "a signature under a trusted key does not fit this checkpoint");
    else if (s->good > 0)
        trust_rule_fail(r, REASON_THRESHOLD_NOT_MET, "too few trusted keys signed");
    else if (c->policy->key_count == 0)
        trust_rule_fail(
            r, REASON_UNTRUSTED_SIGNER,
            "checkpoint.trusted_pubkeys is empty: nobody's signature counts");
    else
        trust_rule_fail(r, REASON_UNTRUSTED_SIGNER, "no signing key is trusted");
}

void trust_signers_signatures(const struct trust_case *c, struct trust_rule_result *r)
{
    unsigned threshold = c->policy->threshold;
    struct signers s;

    if (threshold == 0) {
        trust_rule_unused(r, "checkpoint.threshold is 0: nobody vouches for the state");
        return;
    }
    trust_rule_wanted(r, "%u of %zu trusted keys", threshold, key_count(c->policy));
    if (!c->candidate->has_state_hash) {
        trust_rule_fail(r, REASON_UNSIGNED,
                        "no state_hash that could have been signed");
        return;
    }
    check_signatures(c, &s);
    trust_rule_saw(r, "%zu trusted keys in %zu signatures", s.good,
                   c->candidate->signature_count);
    if (s.good < threshold)
        refuse(c, &s, r);
    else if (s.bad > 0)
        trust_rule_pass(r, "%zu others under trusted keys are wrong", s.bad);
    else
        trust_rule_pass(r, "%s", "");
}

void trust_signers_attestations(const struct trust_case *c, struct trust_rule_result *r)
{
    if (c->policy->min_attestations == 0) {
        trust_rule_unused(r, "checkpoint.min_attestations is 0");
        return;
    }
    trust_rule_saw(r, "0 attestations");
    trust_rule_wanted(r, "%u attestations", c->policy->min_attestations);
    trust_rule_fail(r, REASON_ATTESTATIONS_MISSING, "this version collects none");
}

void trust_signers_revocation(const struct trust_case *c, struct trust_rule_result *r)
{
    (void)c; /* one shape for every rule */
    trust_rule_skip(r, "this version takes no revocations from peers");
}
