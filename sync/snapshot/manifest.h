#ifndef SYNC_SNAPSHOT_MANIFEST_H
#define SYNC_SNAPSHOT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/u128.h"
#include "store/chunktable.h"
#include "store/coinfile.h"
#include "sync/chain/header.h"
#include "sync/chain/work.h"
#include "sync/trust/trust.h"

/*
 * The manifest of a snapshot (docs/snapshot-format.md): which block, which state, and
 * the hash of the chunk table that proves every byte of the body; and who signed that.
 * One read from a text is well-formed and agrees with itself, nothing more: whether
 * block and state are to be believed is sync/trust's to say.  Any thread, one at a
 * time.
 */
enum {
    MANIFEST_MAX = 256 << 10, /* bytes of the text */
    MANIFEST_ID = 40,         /* with its NUL */
    MANIFEST_SIGNATURES_MAX = TRUST_KEYS_MAX,
    MANIFEST_SOFTWARE_MAX = 64,
};
#define MANIFEST_FORMAT "cairn-snapshot-1"

struct manifest_xai {
    char pubkey[131]; /* 66, 128 or 130 lower-case hex digits, as stock nodes have it */
    char signature[129];
};

struct manifest {
    char network[32];
    uint8_t genesis_hash[32];
    uint64_t height;
    uint8_t block_hash[32];
    struct header header; /* without the miner's key and signature: the hash does not
                             cover them, and copies of a block differ there */
    struct work work;     /* of the chain up to this block */
    uint8_t state_root[32], table_sha256[32];
    u128 total;                               /* atto */
    uint64_t coin_count, bytes, frames_bytes; /* bytes: of base.coins */
    uint32_t chunk_count;
    bool has_xai_state_hash;
    uint8_t xai_state_hash[32];
    char software[MANIFEST_SOFTWARE_MAX + 1]; /* what made it; ASCII */
    struct trust_signed *signatures;          /* ascending by key, distinct */
    size_t signature_count;
    struct manifest_xai *xai; /* over XAI's digest; ascending by point, distinct */
    size_t xai_count;
};

/* From hostile text.  METADATA_MALFORMED says what is wrong: not JSON, another member
   than there must be, out of bounds, at odds with another, or another spelling than the
   canonical one.  Signatures are not looked into. */
enum errc manifest_parse(const char *text, size_t len, struct manifest **out,
                         struct err *err);
/* The same of a file. */
enum errc manifest_read(const char *path, struct manifest **out, struct err *err);
void manifest_free(struct manifest *m);
DEFINE_CLEANUP(struct manifest, manifest_free)
/* A copy, the caller's. */
struct manifest *manifest_copy(const struct manifest *m);

/* The text; a buffer of MANIFEST_MAX has room. */
void manifest_write(const struct manifest *m, struct buf *out);
/* What is signed: all of it but the two lists of signatures. */
void manifest_digest(const struct manifest *m, uint8_t out[32]);

/* "<height>-<the first 16 hex digits of the digest>". */
void manifest_id(const struct manifest *m, char out[MANIFEST_ID]);
bool manifest_id_valid(const char *text);

struct coinfile_id manifest_coinfile_id(const struct manifest *m);
struct chunktable_want manifest_table(const struct manifest *m);

/* --- signatures: manifest_sign.c --- */

/* BAD_SIGNATURE unless it holds; ERR_CONFLICT when the key has signed already, or there
   are enough. */
enum errc manifest_add(struct manifest *m, const struct trust_signed *sig,
                       struct err *err);
/* The same of a signature over trust_digest; needs an xai_state_hash (ERR_CONFLICT). */
enum errc manifest_add_xai(struct manifest *m, const struct manifest_xai *sig,
                           struct err *err);
/* How many of these keys signed it, and whether each did: signed_by, when not NULL, has
   key_count places.  Only signatures over the manifest's own digest count. */
size_t manifest_signed(const struct manifest *m, const struct trust_key *keys,
                       size_t key_count, bool *signed_by);
/* Whether that one holds over XAI's digest, and whose it is. */
bool manifest_xai_holds(const struct manifest *m, const struct manifest_xai *sig,
                        struct trust_key *key);
/* Every signature holds, whosever it is; BAD_SIGNATURE names the key. */
enum errc manifest_check_signatures(const struct manifest *m, struct err *err);
/* The signatures of from that into lacks; *added counts them.  ERR_CONFLICT: they are
   not of one snapshot.  BAD_SIGNATURE: one of from's does not hold.  into is whole, or
   as it was. */
enum errc manifest_merge(struct manifest *into, const struct manifest *from,
                         size_t *added, struct err *err);

/* --- for sync/trust: manifest_trust.c --- */

struct manifest_texts { /* what the candidate points into; large */
    struct {
        char key[TRUST_KEY_TEXT], signature[129];
    } of[MANIFEST_SIGNATURES_MAX];
};
/* m, source and texts are borrowed as long as out is used.  The signatures over XAI's
   digest are no part of it: docs/adr/0029. */
void manifest_candidate(const struct manifest *m, const char *source,
                        struct manifest_texts *texts, struct trust_candidate *out);

#endif
