#ifndef SYNC_TRUST_TRUST_H
#define SYNC_TRUST_TRUST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/u128.h"
#include "sync/chain/params.h"
#include "sync/chain/work.h"
#include "sync/trust/trust_key.h"
#include "sync/trust/trust_statement.h"

/*
 * Which checkpoint to believe.  trust_evaluate is a pure function: the same candidate,
 * evidence, policy and past give the same verdict, on any machine, at any time.  All
 * text pointers are borrowed for the call.  Any thread.
 */
enum {
    TRUST_ROOTS_MAX = 256,
    TRUST_ATTESTERS_MAX = 64,
    TRUST_VOTES_MAX = 1200,
    TRUST_SIGNATURES_MAX = 128,
    TRUST_STATEMENTS_MAX = 512, /* about one checkpoint */
    TRUST_TEXT = 200,           /* a rule's saw, wanted and detail */
};

/* What XAI's signers sign: SHA-256 of CANON {block_hash, height, state_hash}; both
   hashes in lower-case hex.  No network is in it (protocol.md 10.4). */
void trust_digest(uint64_t height, const uint8_t block_hash[32], const char *state_hash,
                  uint8_t out[32]);

struct trust_candidate;
/* Cairn's own, which binds the network: docs/trust-documents.md.  Of the candidate's
   height, block hash, state root and state hash; what it does not claim is null. */
void trust_digest_cairn(const struct chain_params *params,
                        const struct trust_candidate *c, uint8_t out[32]);

struct trust_root {
    uint64_t height;
    uint8_t hash[32];
};

struct trust_policy {
    unsigned quorum;    /* peers that must report the block; 0: none */
    unsigned min_peers; /* network groups they must span */
    unsigned threshold; /* trusted keys that must have signed; 0: none */
    struct trust_key keys[TRUST_KEYS_MAX];
    size_t key_count;
    unsigned min_confirmations, min_attestations;
    bool header_proof_full; /* else header_window headers */
    uint64_t header_window;
    bool compare_coins_always; /* else headers alone do where somebody serves them */
    struct work min_work;
    uint64_t min_delta;
    uint64_t max_age_seconds;                 /* 0: any age */
    struct trust_root roots[TRUST_ROOTS_MAX]; /* pinned; genesis is always one */
    size_t root_count;
    struct trust_key attesters[TRUST_ATTESTERS_MAX]; /* Ed25519: whose word counts */
    size_t attester_count;
};

enum trust_signed_digest { TRUST_OVER_XAI, TRUST_OVER_CAIRN, TRUST_OVER_MANIFEST };

/* What a source claims.  Everything may be a lie. */
struct trust_candidate {
    const char *source;    /* URL, path, "inline" */
    const char *network;   /* NULL when the format names none */
    const char *malformed; /* NULL, or what is wrong with the metadata */
    bool has_height, has_block_hash, has_state_hash, has_state_root, has_work;
    uint64_t height;
    uint8_t block_hash[32];
    char state_hash[65];
    uint8_t state_root[32];
    struct work work;
    bool has_manifest; /* the claims above are those of a snapshot's manifest ... */
    uint8_t manifest_digest[32]; /* ... which this is of (docs/snapshot-format.md) */
    uint8_t genesis_hash[32];    /* has_manifest: the one it names */
    struct {
        const char *pubkey, *signature; /* hex as given; NULL when absent */
        enum trust_key_alg alg;         /* a pubkey of another kind is not trusted */
        enum trust_signed_digest over;  /* XAI's digest: secp256k1 alone */
    } signatures[TRUST_SIGNATURES_MAX];
    size_t signature_count;
};

/*
 * One peer's own word on the block at the candidate's height: what it answered itself,
 * or what it signed; a claim relayed by others is a vote of who signed it, and of
 * nobody else.  A vote counts once: not if its identity or its peer has been counted
 * for the same block before, so neither one node on many addresses nor many names on
 * one address make a crowd.
 */
struct trust_vote {
    const char *peer;     /* URL; NULL: nobody's, not counted */
    const char *group;    /* network group, e.g. "127.1.0.0/16"; NULL: in none */
    const char *identity; /* distinct per node; NULL: its URL */
    uint32_t as_number;   /* of the peer's address; 0: unknown */
    uint8_t block_hash[32];
};

enum trust_found {
    TRUST_NOT_YET, /* not collected: the rule is skipped, "not evaluated yet" */
    TRUST_HOLDS,
    TRUST_FAILS,
    TRUST_CANNOT, /* tried and impossible: detail says why; the rule fails */
};

struct trust_evidence {
    const char *why_not_yet; /* for the skipped ones; NULL: "no evidence yet" */
    enum trust_found votes_collected;
    struct trust_vote votes[TRUST_VOTES_MAX];
    size_t vote_count;

    /*
     * What was signed by others about this checkpoint or its neighbours, in any order
     * and of any network; only what names this block and network is looked at, and no
     * signature is believed before it was checked here.  attestations: whether the
     * trusted attesters had their time to be heard.
     */
    const struct trust_statement *statements[TRUST_STATEMENTS_MAX];
    size_t statement_count;
    enum trust_found attestations;
    const char *revoked_by_operator; /* the reason given; NULL: not revoked here */

    /* pinned roots that the headers met, below or above; FAILS: one was contradicted */
    enum trust_found roots;
    const char *roots_detail;

    /* header chain from genesis (or the window's first) to the checkpoint block */
    enum trust_found headers;
    const char *headers_detail; /* when it fails: which header, which rule */
    uint64_t headers_from;      /* first height proven */
    bool headers_full;          /* from a root, so work is proven */
    struct work work;           /* summed, when headers_full */
    double block_time;          /* of the checkpoint block, when headers hold */
    bool has_block_time;

    /* against everything else known */
    enum trust_found best_chain;
    const char *best_chain_detail;
    enum trust_found confirmations_collected;
    uint64_t confirmations; /* valid headers above the block */
    enum trust_found next_block;
    unsigned next_block_peers;
    bool at_network_tip; /* nobody has a next block since this is the tip */
    bool no_peers;       /* there is nobody to ask (docs/adr/0030) */

    enum trust_found payload;
    enum reason payload_reason;
    const char *payload_detail;
    bool has_state_root; /* of the coins of the body, once they are known */
    uint8_t state_root[32];
    enum trust_found source;
    enum reason source_reason;
    const char *source_detail;

    /* what is accepted already */
    bool has_tip;
    uint64_t tip_height;
    bool forced;     /* an operator's re-bootstrap: delta does not apply */
    bool has_latest; /* checkpoint accepted last */
    uint64_t latest_height;
    uint8_t latest_hash[32];
    char latest_state_hash[65]; /* "" when it had none */
    uint8_t latest_state_root[32];
    struct work latest_work;
    int64_t now_ms; /* for freshness alone */
};

enum trust_result { TRUST_PASS, TRUST_FAIL, TRUST_SKIPPED, TRUST_NOT_APPLICABLE };

#define TRUST_RULES(X)                \
    X(NETWORK, "network")             \
    X(METADATA, "metadata")           \
    X(DELTA, "delta")                 \
    X(REPLAY, "replay")               \
    X(FRESHNESS, "freshness")         \
    X(TRUST_ROOT, "trust_root")       \
    X(REVOCATION, "revocation")       \
    X(QUORUM, "quorum")               \
    X(EQUIVOCATION, "equivocation")   \
    X(DIVERSITY, "diversity")         \
    X(SIGNATURES, "signatures")       \
    X(ATTESTATIONS, "attestations")   \
    X(WORK, "work")                   \
    X(HEADERS, "headers")             \
    X(BEST_CHAIN, "best_chain")       \
    X(CONFIRMATIONS, "confirmations") \
    X(SERVABLE, "servable")           \
    X(PAYLOAD, "payload")             \
    X(SOURCE, "source")

enum trust_rule {
#define X(id, name) TRUST_RULE_##id,
    TRUST_RULES(X)
#undef X
        TRUST_RULE_COUNT
};
const char *trust_rule_name(enum trust_rule rule);
const char *trust_result_name(enum trust_result result);

struct trust_rule_result {
    enum trust_result result;
    bool pending; /* skipped for want of evidence: nothing is accepted before it */
    enum reason reason; /* when it fails */
    char saw[TRUST_TEXT], wanted[TRUST_TEXT], detail[TRUST_TEXT];
};

struct trust_verdict {
    /* accepted: no rule fails and none was skipped for want of evidence.
       refused: a rule fails.  Neither: evidence is missing. */
    bool accepted, refused;
    enum reason reason;      /* of the first failing rule in the table's order */
    enum trust_rule decider; /* that rule */
    struct trust_rule_result rules[TRUST_RULE_COUNT];
    struct trust_key signers[TRUST_KEYS_MAX]; /* trusted ones that signed it */
    size_t signer_count;
};

void trust_evaluate(const struct trust_candidate *candidate,
                    const struct trust_evidence *evidence,
                    const struct trust_policy *policy,
                    const struct chain_params *params, struct trust_verdict *out);

/*
 * The verdict as a document: {accepted, reason, rules: [{rule, result, saw, wanted,
 * detail, reason?}], not_evaluated: [rule...]}, plus candidate {source, height,
 * block_hash, state_hash, work, ...}, votes [{peer, identity, group, as_number,
 * block_hash, agrees}], signers [key], attestations [{key, state_root, trusted}] and
 * revocations [{key, reason, trusted}].  The caller owns it.
 */
cJSON *trust_verdict_json(const struct trust_verdict *verdict,
                          const struct trust_candidate *candidate,
                          const struct trust_evidence *evidence,
                          const struct trust_policy *policy);

/* The policy as a document, in the words of the configuration. */
cJSON *trust_policy_json(const struct trust_policy *policy);
/* Members of such an object, each in place of what *policy has.  ERR_INVALID names the
   one that is unknown or out of range; *policy is as it was then. */
enum errc trust_policy_parse(const cJSON *doc, struct trust_policy *policy,
                             struct err *err);

#endif
