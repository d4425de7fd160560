#ifndef STORE_CHAINDB_H
#define STORE_CHAINDB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/coin.h"
#include "base/err.h"
#include "base/u128.h"

/*
 * chain.db of one generation: headers of every branch known, bodies above the base, the
 * coins made and spent since the base, and undo records.  One struct chaindb is one
 * SQLite connection and belongs to one thread; the engine has the only writer.
 */
struct chaindb;

enum chaindb_mode {
    CHAINDB_WRITER,
    CHAINDB_READER
}; /* the writer creates and migrates */

enum errc chaindb_open(const char *path, enum chaindb_mode mode, struct chaindb **out,
                       struct err *err);
/* Reading that has begun or begins later ends with CANCELLED once the flag is set. */
void chaindb_stop_when(struct chaindb *db, atomic_bool *cancel);
/* Reads all of it: long; not for the engine thread. */
enum errc chaindb_check(struct chaindb *db, struct err *err);
void chaindb_close(struct chaindb *db);
DEFINE_CLEANUP(struct chaindb, chaindb_close)

/* Transactions; BEGIN IMMEDIATE for the writer, a read snapshot for readers. */
enum errc chaindb_begin(struct chaindb *db, struct err *err);
enum errc chaindb_commit(struct chaindb *db, struct err *err);
void chaindb_rollback(struct chaindb *db);

/* --- headers --- */
enum chaindb_header_status {                       /* stored: never renumber */
                             CHAINDB_ANCHORED = 0, /* its hash was asked for by a header
                                                      above it; not verified */
                             CHAINDB_VALID = 1, /* header rules hold, work is summed */
                             CHAINDB_INVALID = 2, /* header or body breaks a rule, or
                                                     stands on one that does */
};

struct chaindb_header {
    uint8_t hash[32], prev[32], merkle_root[32];
    uint64_t height;
    double timestamp;
    uint32_t difficulty;
    uint64_t nonce, version;
    bool has_version, has_body; /* has_body: set by the reading functions */
    char signature[129], miner_pubkey[129];
    enum chaindb_header_status status;
    uint8_t work[40]; /* summed, big-endian; zero unless VALID */
    uint64_t added;   /* order of arrival: first seen wins a tie; set by put */
};

/* An existing hash stays as it is, and *added is false. */
enum errc chaindb_header_put(struct chaindb *db, const struct chaindb_header *h,
                             bool *added, struct err *err);
enum errc chaindb_header_get(struct chaindb *db, const uint8_t hash[32], bool *found,
                             struct chaindb_header *out, struct err *err);
/* VALID with its work, or INVALID with the reason code. */
enum errc chaindb_header_mark(struct chaindb *db, const uint8_t hash[32],
                              enum chaindb_header_status status, const uint8_t work[40],
                              const char *reason, struct err *err);
/* Marks INVALID every header that descends from hash; their bodies and hash's are
   dropped. */
enum errc chaindb_header_mark_descendants(struct chaindb *db, const uint8_t hash[32],
                                          const char *reason, struct err *err);
/* The VALID header with most work, first seen on ties; *found false when there is none.
 */
enum errc chaindb_header_best(struct chaindb *db, bool *found,
                              struct chaindb_header *out, struct err *err);
/* Of the active chain (below the base too, as far as headers are held). */
enum errc chaindb_active_at(struct chaindb *db, uint64_t height, bool *found,
                            struct chaindb_header *out, struct err *err);
/* From a height upwards, as far as they are held; stops when each() returns other than
   ERR_OK. */
enum errc chaindb_active_each(struct chaindb *db, uint64_t from, size_t limit,
                              enum errc (*each)(void *arg,
                                                const struct chaindb_header *h,
                                                struct err *err),
                              void *arg, struct err *err);
/* The lowest height held of it. */
enum errc chaindb_active_first(struct chaindb *db, bool *found, uint64_t *height,
                               struct err *err);
enum errc chaindb_active_set(struct chaindb *db, uint64_t height,
                             const uint8_t hash[32], struct err *err);
enum errc chaindb_active_cut(struct chaindb *db, uint64_t above, struct err *err);

/* --- what is not needed any more: chaindb_prune.c --- */
struct chaindb_anchored {
    int64_t added;
    uint8_t hash[32];
};
/* Of the ANCHORED headers that arrived after `after`, the first limit; rows has room
   for them. */
enum errc chaindb_anchored_list(struct chaindb *db, int64_t after,
                                struct chaindb_anchored *rows, size_t limit, size_t *n,
                                struct err *err);
/* The header, if it is ANCHORED, and its body. */
enum errc chaindb_anchored_drop(struct chaindb *db, const uint8_t hash[32],
                                struct err *err);
/* Of the INVALID headers but the last `keep`, at most limit. */
enum errc chaindb_invalid_drop(struct chaindb *db, size_t keep, size_t limit,
                               size_t *dropped, struct err *err);
/* Notes the tip of a chain whose walk brought so many headers. */
enum errc chaindb_branch_put(struct chaindb *db, const uint8_t hash[32],
                             uint64_t headers, struct err *err);
/* The one noted first, and how many headers all noted ones brought. */
enum errc chaindb_branch_oldest(struct chaindb *db, bool *found, uint8_t hash[32],
                                uint64_t *headers, struct err *err);
/* The note of from is one of to. */
enum errc chaindb_branch_move(struct chaindb *db, const uint8_t from[32],
                              const uint8_t to[32], struct err *err);
enum errc chaindb_branch_drop(struct chaindb *db, const uint8_t hash[32],
                              struct err *err);
/* A VALID header that is not active and that nothing stands on, and its body. */
enum errc chaindb_leaf_drop(struct chaindb *db, const uint8_t hash[32], bool *dropped,
                            struct err *err);

/* --- bodies: canonical block text --- */
enum errc chaindb_body_put(struct chaindb *db, const uint8_t hash[32], const char *text,
                           size_t len, struct err *err);
enum errc chaindb_body_get(struct chaindb *db, const uint8_t hash[32], bool *found,
                           struct buf *out, struct err *err);
enum errc chaindb_body_drop(struct chaindb *db, const uint8_t hash[32],
                            struct err *err);

/* --- proof blobs: what a header proof noted of each block below the base, by height
 * --- */
enum errc chaindb_proof_put(struct chaindb *db, uint64_t height, const void *blob,
                            size_t len, struct err *err);
enum errc chaindb_proof_each(struct chaindb *db,
                             enum errc (*each)(void *arg, uint64_t height,
                                               const void *blob, size_t len,
                                               struct err *err),
                             void *arg, struct err *err); /* ascending heights */
/* How many there are up to height. */
enum errc chaindb_proof_count(struct chaindb *db, uint64_t height, uint64_t *count,
                              struct err *err);
enum errc chaindb_proof_drop(struct chaindb *db, struct err *err); /* all of them */

#endif
