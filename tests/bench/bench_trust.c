#include <secp256k1.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/trust/trust.h"
#include "tests/bench/measure.h"

/*
 * One decision over 1,000 peers' votes, 100 signatures over Cairn's digest, half of
 * them secp256k1, and 64 trusted nodes' attestations: what a large network gives a node
 * to judge at once, on one core.
 */
enum { ROUNDS = 15, VOTES = 1000, SIGNATURES = 100, ATTESTERS = 64 };
static const double limit_ms = 50;

struct evidence_texts {
    char peer[VOTES][48], group[VOTES][24];
    char pubkey[SIGNATURES][TRUST_KEY_TEXT], signature[SIGNATURES][129];
};

static struct trust_candidate candidate;
static struct trust_evidence evidence;
static struct trust_policy policy;
static struct evidence_texts texts;
static struct trust_statement *attested[ATTESTERS];

/* Key n of its kind; the signature when digest is there. */
static struct trust_signed sign(enum trust_key_alg alg, uint8_t n,
                                const uint8_t digest[32])
{
    struct trust_signed out = {.key.alg = alg};
    uint8_t seed[32] = {n, 1}, public[32], secret[64];
    secp256k1_context *ctx;
    secp256k1_ecdsa_signature sig;
    secp256k1_pubkey point;
    size_t len = 33;

    if (alg == TRUST_ED25519) {
        (void)crypto_sign_seed_keypair(public, secret, seed);
        memcpy(out.key.bytes, public, 32);
        (void)crypto_sign_detached(out.signature, NULL, digest, 32, secret);
        return out;
    }
    ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
    if (!secp256k1_ec_pubkey_create(ctx, &point, seed) ||
        !secp256k1_ec_pubkey_serialize(ctx, out.key.bytes, &len, &point,
                                       SECP256K1_EC_COMPRESSED) ||
        !secp256k1_ecdsa_sign(ctx, &sig, digest, seed, NULL, NULL))
        abort();
    (void)secp256k1_ecdsa_signature_serialize_compact(ctx, out.signature, &sig);
    secp256k1_context_destroy(ctx);
    return out;
}

static void make_votes(void)
{
    evidence.votes_collected = TRUST_HOLDS;
    for (size_t i = 0; i < VOTES; i++) {
        struct trust_vote *v = &evidence.votes[evidence.vote_count++];

        (void)snprintf(texts.peer[i], sizeof(texts.peer[i]), "http://10.%zu.%zu.1:8333",
                       i / 250, i % 250);
        (void)snprintf(texts.group[i], sizeof(texts.group[i]), "10.%zu.0.0/16",
                       i * 7 % 400);
        v->peer = v->identity = texts.peer[i];
        v->group = texts.group[i];
        v->as_number = (uint32_t)(64000 + i * 11 % 300);
        memcpy(v->block_hash, candidate.block_hash, 32);
        v->block_hash[31] ^= i % 5 == 0;
    }
}

static void make_signatures(const struct chain_params *params)
{
    uint8_t digest[32];

    trust_digest_cairn(params, &candidate, digest);
    for (size_t i = 0; i < SIGNATURES; i++) {
        struct trust_signed s =
            sign(i % 2 ? TRUST_ED25519 : TRUST_SECP256K1, (uint8_t)(i + 1), digest);

        trust_key_text(&s.key, texts.pubkey[i]);
        hex_encode(s.signature, 64, texts.signature[i]);
        candidate.signatures[i].pubkey = texts.pubkey[i];
        candidate.signatures[i].signature = texts.signature[i];
        candidate.signatures[i].alg = s.key.alg;
        candidate.signatures[i].over = TRUST_OVER_CAIRN;
        if (policy.key_count < TRUST_KEYS_MAX)
            policy.keys[policy.key_count++] = s.key;
    }
    candidate.signature_count = SIGNATURES;
}

static void make_attestations(const struct chain_params *params)
{
    evidence.attestations = TRUST_HOLDS;
    for (size_t i = 0; i < ATTESTERS; i++) {
        struct trust_statement *s = attested[i] =
            trust_statement_new(TRUST_ATTESTATION, params);
        struct trust_signed sig;
        uint8_t digest[32];
        struct err err;

        s->height = candidate.height;
        memcpy(s->block_hash, candidate.block_hash, 32);
        memcpy(s->state_root, candidate.state_root, 32);
        trust_statement_digest(s, digest);
        sig = sign(TRUST_ED25519, (uint8_t)(200 - i), digest);
        measure_must(trust_statement_add(s, &sig, &err), &err);
        policy.attesters[policy.attester_count++] = sig.key;
        evidence.statements[evidence.statement_count++] = s;
    }
}

static void make_case(const struct chain_params *params)
{
    candidate = (struct trust_candidate){.source = "bench",
                                         .has_height = true,
                                         .has_block_hash = true,
                                         .has_state_root = true,
                                         .height = 1000000};
    memset(candidate.block_hash, 0x33, 32);
    memset(candidate.state_root, 0x44, 32);
    policy.quorum = 500;
    policy.min_peers = 200;
    policy.threshold = TRUST_KEYS_MAX;
    policy.min_attestations = ATTESTERS;
    make_votes();
    make_signatures(params);
    make_attestations(params);
}

/* That what is measured is the whole way, and not an early refusal. */
static void require_pass(const struct trust_verdict *v, enum trust_rule rule)
{
    if (v->rules[rule].result == TRUST_PASS)
        return;
    (void)fprintf(stderr, "%s: saw %s, wanted %s\n", trust_rule_name(rule),
                  v->rules[rule].saw, v->rules[rule].wanted);
    abort();
}

int main(int argc, char **argv)
{
    const struct chain_params *params = params_find("testnet");
    AUTOFREE struct trust_verdict *v = xcalloc(1, sizeof(*v));
    double spent[ROUNDS];

    (void)measure_args(argc, argv, 0, 0);
    make_case(params);
    for (size_t i = 0; i < ROUNDS; i++) {
        double start = measure_cpu();

        trust_evaluate(&candidate, &evidence, &policy, params, v);
        spent[i] = (measure_cpu() - start) * 1e3;
    }
    require_pass(v, TRUST_RULE_QUORUM);
    require_pass(v, TRUST_RULE_EQUIVOCATION);
    require_pass(v, TRUST_RULE_DIVERSITY);
    require_pass(v, TRUST_RULE_SIGNATURES);
    require_pass(v, TRUST_RULE_ATTESTATIONS);
    measure_at_most("trust_decision", measure_median(spent, ROUNDS), "ms", limit_ms);
    for (size_t i = 0; i < ATTESTERS; i++)
        trust_statement_free(attested[i]);
    return measure_result();
}
