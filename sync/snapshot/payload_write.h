#ifndef SYNC_SNAPSHOT_PAYLOAD_WRITE_H
#define SYNC_SNAPSHOT_PAYLOAD_WRITE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/coin.h"
#include "base/err.h"
#include "base/u128.h"

/*
 * XAI's checkpoint payload out of unspent coins (protocol.md 10.2, 10.4), in constant
 * memory: coins in any order, sorted on disk by address, then by outpoint; the text
 * spelled as stock spells it with keys sorted (JSON_SPACED) and state_hash in the same
 * pass.  One state at one block has one text: lists are in outpoint order, nothing is
 * spent, total_value is the double nearest to the exact total.  One thread at a time.
 *
 *     payload_writer_create, payload_writer_add for each coin, payload_writer_finish.
 *
 * The sort's runs in tmp_dir take about 100 bytes a coin; the text about 300.
 */
struct payload_writer;

struct payload_write_options {
    const char *tmp_dir;       /* borrowed for the life of the writer */
    size_t sort_memory;        /* bytes */
    const atomic_bool *cancel; /* ends with ERR_CANCELED soon; NULL */
};

enum errc payload_writer_create(const struct payload_write_options *opt,
                                struct payload_writer **out, struct err *err);
void payload_writer_free(struct payload_writer *w);
DEFINE_CLEANUP(struct payload_writer, payload_writer_free)

/* That no outpoint comes twice is the caller's duty.  STATE_BOUNDS: an amount that no
   coin can have. */
enum errc payload_writer_add(struct payload_writer *w, const struct coin *coin,
                             struct err *err);

struct payload_seal { /* as they stand in the text */
    char signature[129], pubkey[131];
};

/* The members beside data and state_hash. */
struct payload_head {
    uint64_t height;
    uint8_t block_hash[32];
    const char *work; /* decimal; NULL: none is told */
    /* Signs XAI's digest of the payload (trust_digest); NULL: it is not signed. */
    enum errc (*sign)(void *arg, const char *state_hash, struct payload_seal *out,
                      struct err *err);
    void *arg;
};

struct payload_written {
    uint8_t state_hash[32];
    uint64_t coins;
    u128 total;     /* atto */
    uint64_t bytes; /* of the text */
};

/*
 * After the last coin, once.  The text goes to path (a leftover is truncated; synced;
 * removed again when it fails).  path NULL: nothing is written, only state_hash, coins,
 * total are told; head is not looked at then.
 */
enum errc payload_writer_finish(struct payload_writer *w, const char *path,
                                const struct payload_head *head,
                                struct payload_written *out, struct err *err);

#endif
