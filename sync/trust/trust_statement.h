#ifndef SYNC_TRUST_TRUST_STATEMENT_H
#define SYNC_TRUST_TRUST_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "sync/chain/params.h"
#include "sync/trust/trust_key.h"
#include "sync/trust/trust_signed.h"

/*
 * What somebody signed, as a document: canonical JSON with its signatures, in exactly
 * one spelling (docs/trust-documents.md).  A statement read from a text is well-formed
 * and nothing more: who signed it is checked with trust_statement_signed.  Immutable
 * once made; any thread.
 */
enum {
    TRUST_KEYS_MAX = TRUST_SIGNED_MAX, /* of a set */
    TRUST_REASON_MAX = 200,            /* bytes */
    TRUST_STATEMENT_MAX = 64 << 10,    /* bytes of a document; the largest has 24 KiB */
};

enum trust_statement_type {
    TRUST_REVOCATION,  /* this block's checkpoint is withdrawn: reason */
    TRUST_ATTESTATION, /* the state after this block, as the signer derived it */
    TRUST_SIGNER_SET,  /* who signs from now on; signed by the set before */
};
const char *trust_statement_type_name(enum trust_statement_type type);

struct trust_set {
    uint64_t sequence;    /* 0: what a configuration starts from */
    uint8_t previous[32]; /* digest of the set before; zeros for the first */
    unsigned threshold;   /* 1..key_count */
    struct trust_key keys[TRUST_KEYS_MAX]; /* ascending, distinct */
    size_t key_count;                      /* 1..TRUST_KEYS_MAX */
};

struct trust_statement {
    enum trust_statement_type type;
    char network[32];
    uint8_t genesis_hash[32];
    uint64_t height; /* revocation, attestation */
    uint8_t block_hash[32];
    uint8_t state_root[32];            /* attestation */
    char reason[TRUST_REASON_MAX + 1]; /* revocation; UTF-8 */
    struct trust_set *set;             /* signer set */
    struct trust_signed *signatures;   /* ascending by key, distinct */
    size_t signature_count;
};

/*
 * From hostile text.  ERR_INVALID says what is wrong: not JSON, another member than
 * there must be, out of bounds, or another spelling than the canonical one.
 */
enum errc trust_statement_parse(const char *text, size_t len,
                                struct trust_statement **out, struct err *err);
void trust_statement_free(struct trust_statement *s);
DEFINE_CLEANUP(struct trust_statement, trust_statement_free)

/* An unsigned one, of this network. */
struct trust_statement *trust_statement_new(enum trust_statement_type type,
                                            const struct chain_params *params);
/* Adds a signature; ERR_CONFLICT when the key has signed already, or there are enough.
 */
enum errc trust_statement_add(struct trust_statement *s, const struct trust_signed *sig,
                              struct err *err);

/* The document. */
void trust_statement_write(const struct trust_statement *s, struct buf *out);
/* What is signed: all of it but the signatures. */
void trust_statement_digest(const struct trust_statement *s, uint8_t out[32]);

bool trust_statement_of(const struct trust_statement *s,
                        const struct chain_params *params);
/* How many of these keys' signatures are there and hold; at most one a key. */
size_t trust_statement_signed(const struct trust_statement *s,
                              const struct trust_key *keys, size_t key_count);

#endif
