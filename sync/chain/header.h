#ifndef SYNC_CHAIN_HEADER_H
#define SYNC_CHAIN_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "sync/chain/params.h"
#include "sync/chain/work.h"

/*
 * Block headers: reading, hash, and the rules that need only earlier headers
 * (protocol.md 2 to 4).  No clock: header_is_from_future is for the tip alone and takes
 * the time.  Pure; any thread.
 */
enum {
    HEADER_SIGNATURE_MAX = 128,
    HEADER_PUBKEY_MAX = 128,
    HEADER_DIFFICULTY_MAX = 64, /* hex digits of a hash */
};

struct header {
    uint64_t height;  /* wire: index */
    uint8_t hash[32]; /* computed, never believed */
    uint8_t prev[32];
    uint8_t merkle_root[32];
    double timestamp;    /* seconds since 1970 */
    uint32_t difficulty; /* leading hex zeros of the hash */
    uint64_t nonce;
    uint64_t version;
    bool has_version;                         /* hashed only when present */
    char signature[HEADER_SIGNATURE_MAX + 1]; /* hex; "" when null */
    char miner_pubkey[HEADER_PUBKEY_MAX +
                      1]; /* hex, or genesis' literal; "" when null */
};

/*
 * From a flat block or header object as stock serves it, "hash" included, which must be
 * the computed one (BLOCK_HASH_MISMATCH).  Strict: integers are integers, hashes 64
 * lower-case digits, nothing missing but version, no key that a block does not have
 * (BLOCK_MALFORMED).
 */
enum errc header_parse(const struct json *v, struct header *out, struct err *err);

/* As canonical JSON that header_parse reads; "" is null. */
void header_write(const struct header *h, struct buf *out);

/* A time that a header may have: from 0 to the year 9999, and no -0.0. */
bool header_is_time(double seconds);

void header_hash(const struct header *h, uint8_t out[32]);

/* The hash starts with difficulty hex zeros. */
bool header_has_pow(const struct header *h);

/* Miner signature rule 2.1: none, or a good one (BLOCK_BAD_SIGNATURE).  Not covered by
   the hash: a failure condemns this copy, not the block.  Costs one ECDSA verify. */
enum errc header_check_signature(const struct header *h, struct err *err);

/*
 * What the retarget and timestamp rules look back on: the last 2016 headers of one
 * branch.  Push each valid header in order; after a reorganisation start anew and push
 * the last header_window_want() headers below the branch point.
 */
enum { HEADER_WINDOW = 2016, HEADER_WINDOW_MIN = 145 };

struct header_window {
    uint64_t next_height; /* of the header to be checked next */
    size_t count;         /* headers held, at most HEADER_WINDOW */
    uint8_t last_hash[32];
    double timestamp[HEADER_WINDOW]; /* ring: slot of height h is h % HEADER_WINDOW */
    uint32_t difficulty[HEADER_WINDOW];
};

void header_window_init(struct header_window *w, uint64_t first_height);
void header_window_push(struct header_window *w, const struct header *h);

/*
 * All rules of a header against the window before it: height, link, version, proof of
 * work, difficulty (deterministic form of 3.3: the block's own timestamp stands for the
 * clock, up to 2 s above 1200 allow both answers), timestamp after the parent and after
 * the median of eleven. The genesis header (height 0, empty window) must have params'
 * hash.  A window that starts above genesis must hold at least HEADER_WINDOW_MIN
 * headers (INTERNAL if not); the long retarget, every 2016 blocks, is only bounded
 * while it holds fewer than 2016. ERR_VERIFY with a BLOCK_ reason.  The signature is
 * not looked at.
 */
enum errc header_check(const struct header *h, const struct header_window *w,
                       const struct chain_params *params, struct err *err);

/* Over two hours ahead of now_ms (protocol.md 4). */
bool header_is_from_future(const struct header *h, int64_t now_ms);

/*
 * The difficulty the retarget rules give for the next block, for vectors and tools:
 * with gap_seconds since the last header.  header_check allows what this gives, and
 * both answers while the gap is within the slack of 1200 s.  w is not empty.
 */
uint32_t header_next_difficulty(const struct header_window *w,
                                const struct chain_params *params, double gap_seconds);

#endif
