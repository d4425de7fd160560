#ifndef SYNC_SNAPSHOT_PAYLOAD_H
#define SYNC_SNAPSHOT_PAYLOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/u128.h"
#include "store/coinfile.h"

/*
 * XAI's checkpoint payload (protocol.md 10.2, 10.4): reading its metadata without its
 * body, and turning its body into a coin file in one streaming pass with constant
 * memory. Nothing here decides: the metadata are claims for trust_evaluate, and
 * payload_ingest says whether the body is what was claimed.  Any one thread at a time
 * per call.
 */
enum { PAYLOAD_KEY_MAX = 130, PAYLOAD_SIG_MAX = 256 };

struct payload_meta {
    bool has_height, has_block_hash, has_state_hash, has_work, has_signature,
        has_pubkey;
    uint64_t height;
    char block_hash[65], state_hash[65]; /* lower-case hex, checked */
    char work[98];                       /* decimal */
    char signature[PAYLOAD_SIG_MAX + 1]; /* as spelled */
    char pubkey[PAYLOAD_KEY_MAX + 1];    /* as spelled */
    bool has_network;                    /* extra fields some publishers add */
    char network[32];
    char malformed[160]; /* "" or the first thing wrong with a field, for the verdict */
};

/* The whole text in a file: skims it once, the body unread but for its syntax.
   ERR_VERIFY PAYLOAD_MALFORMED when it is not one JSON object; a wrong field only sets
   malformed. */
enum errc payload_meta_read(const char *path, struct payload_meta *out,
                            struct err *err);

/* Of a text in memory. */
enum errc payload_meta_text(const char *text, size_t len, struct payload_meta *out,
                            struct err *err);

/*
 * The same from the first and last bytes of a text of which the middle was not fetched:
 * the members before "data" and those after it.  False if they cannot be told apart
 * (the body must then be had first).  What it gives is a preview: payload_ingest says
 * whether the text has these metadata.
 */
bool payload_meta_peek(const char *head, size_t head_len, const char *tail,
                       size_t tail_len, struct payload_meta *out);

struct payload_limits {
    uint64_t max_bytes;
    uint64_t max_coins; /* unspent and spent entries together */
    size_t sort_memory; /* bytes for the external sort */
    u128 max_supply;    /* atto: what can exist at that height */
    bool unclaimed;     /* state_hash is not compared: it is to be told */
};

struct payload_result {
    struct payload_meta meta;
    uint8_t state_hash[32]; /* computed */
    uint64_t bytes, unspent, spent;
    struct coinfile_info coins;
};

struct payload_progress {
    atomic_uint_fast64_t bytes_done; /* for the progress shown */
    atomic_bool cancel;              /* ends with ERR_CANCELED soon */
};

/*
 * Streams the file at paths->payload: hashes the canonical form of data (any spelling
 * and key order of the same value gives the same hash), checks every entry (fields,
 * txid, vout, address equal to its list's key, script "P2PKH " and it, amount), drops
 * spent ones, sorts the unspent into paths->coins (with paths->idx), checks total_utxos
 * exactly and total_value within 1e-6 of the exact sum, the sum against max_supply,
 * duplicates, state_hash. PAYLOAD_MALFORMED, PAYLOAD_TOO_LARGE, PAYLOAD_HASH_MISMATCH
 * or STATE_BOUNDS. paths->tmp_dir takes the sort's runs.  The coin file is for
 * (network, meta height, block hash).
 */
struct payload_paths {
    const char *payload, *coins, *idx, *tmp_dir;
};
enum errc payload_ingest(const struct payload_paths *paths, const char *network,
                         const struct payload_limits *limits,
                         struct payload_progress *progress, struct payload_result *out,
                         struct err *err);

#endif
