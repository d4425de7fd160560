#include <string.h>

#include "base/hex.h"
#include "sync/chain/rules.h"
#include "sync/trust/trust_rule.h"

/* Who vouches for this very state. */

enum { NOT_TRUSTED = TRUST_KEYS_MAX };

struct signers {
    uint8_t xai[32], cairn[32]; /* the digests */
    const uint8_t *manifest;
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
static size_t find_key(const struct trust_policy *p, const char *text,
                       enum trust_key_alg alg)
{
    struct trust_key key;

    if (!trust_key_parse(text, &key) || key.alg != alg)
        return NOT_TRUSTED;
    for (size_t i = 0; i < key_count(p); i++)
        if (trust_key_equal(&p->keys[i], &key))
            return i;
    return NOT_TRUSTED;
}

/* Stock signers do not normalise s, so over XAI's digest a high one counts too. */
static bool verify(const struct signers *s, const struct trust_key *key,
                   enum trust_signed_digest over, const char *hex)
{
    uint8_t sig[64];

    if (strlen(hex) != 128 || !hex_decode(hex, 64, false, sig))
        return false;
    if (over == TRUST_OVER_CAIRN)
        return trust_key_verify(key, s->cairn, sig);
    if (over == TRUST_OVER_MANIFEST)
        return trust_key_verify(key, s->manifest, sig);
    return key->alg == TRUST_SECP256K1 &&
           ecdsa_check_digest(key->bytes, 33, s->xai, sig);
}

static bool can_be_signed(const struct trust_candidate *k,
                          enum trust_signed_digest over)
{
    if (over == TRUST_OVER_MANIFEST)
        return k->has_manifest;
    return k->has_state_hash || (over == TRUST_OVER_CAIRN && k->has_state_root);
}

static void check_one(const struct trust_case *c, size_t i, struct signers *s)
{
    const struct trust_candidate *k = c->candidate;
    const char *pubkey = k->signatures[i].pubkey, *sig = k->signatures[i].signature;
    size_t at;

    if (!pubkey || !sig || !can_be_signed(k, k->signatures[i].over))
        return;
    s->complete++;
    at = find_key(c->policy, pubkey, k->signatures[i].alg);
    if (at == NOT_TRUSTED || s->signed_by[at])
        return;
    if (!verify(s, &c->policy->keys[at], k->signatures[i].over, sig)) {
        s->bad++;
        return;
    }
    s->signed_by[at] = true;
    s->good++;
    c->verdict->signers[c->verdict->signer_count++] = c->policy->keys[at];
}

static void check_signatures(const struct trust_case *c, struct signers *s)
{
    const struct trust_candidate *k = c->candidate;

    *s = (struct signers){.manifest = k->manifest_digest};
    if (k->has_state_hash)
        trust_digest(k->height, k->block_hash, k->state_hash, s->xai);
    trust_digest_cairn(c->params, k, s->cairn);
    for (size_t i = 0; i < k->signature_count && i < TRUST_SIGNATURES_MAX; i++)
        check_one(c, i, s);
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

void trust_signers_rule(const struct trust_case *c, struct trust_rule_result *r)
{
    unsigned threshold = c->policy->threshold;
    struct signers s;

    if (threshold == 0) {
        trust_rule_unused(r, "checkpoint.threshold is 0: nobody vouches for the state");
        return;
    }
    trust_rule_wanted(r, "%u of %zu trusted keys", threshold, key_count(c->policy));
    if (!c->candidate->has_state_hash && !c->candidate->has_state_root) {
        trust_rule_fail(r, REASON_UNSIGNED,
                        "no state_hash or state_root that could have been signed");
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
