#ifndef STORE_COINFILE_H
#define STORE_COINFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/coin.h"
#include "base/err.h"
#include "base/u128.h"

/*
 * The coin file: an immutable, sorted, hashed set of unspent coins, mapped and never
 * loaded.  The format is docs/snapshot-format.md: a header, then records in strictly
 * ascending outpoint order in chunks of at most 1 MiB.  The state root commits to the
 * chunks' SHA-256, the count and the total, so two equal states have one root whatever
 * block they are at.  Beside it lies an index (FILE.idx -> base.idx) with the chunk
 * table and a key every 4 KiB; it can be rebuilt from the file.
 *
 * Reading is by any number of threads at once on one open coinfile.  No chunk is used
 * whose hash was not checked since the file was opened.
 */
enum { COINFILE_CHUNK_MAX = 1 << 20 };
#define COINFILE_BYTES_MAX ((uint64_t)1 << 40) /* keeps every sum below 2^128 */

struct coinfile_id {
    char network[32];
    uint64_t height;
    uint8_t block_hash[32];
};

struct coinfile_info {
    struct coinfile_id id;
    uint64_t coin_count;
    u128 total; /* atto */
    uint64_t file_bytes;
    uint32_t chunk_count;
    uint8_t state_root[32];
    bool index_rebuilt; /* at this open, by a full pass */
};

/* --- writing: one thread --- */
struct coinfile_writer;

/* Creates path (truncating a leftover) and, at finish, its index at idx_path. */
enum errc coinfile_writer_create(const char *path, const char *idx_path,
                                 const struct coinfile_id *id,
                                 struct coinfile_writer **out, struct err *err);
/* Strictly ascending.  STATE_BOUNDS: "coin ... twice" when at is the last one again; an
   amount that is negative, -0.0, not finite or over 1e9; an address that is empty or
   not UTF-8.  That the amount is truncated at 18 decimals is the caller's duty. */
enum errc coinfile_writer_add(struct coinfile_writer *w, const struct coin *coin,
                              struct err *err);
/* The same of a record that coinrec_encode made. */
enum errc coinfile_writer_add_record(struct coinfile_writer *w, const uint8_t *rec,
                                     size_t len, struct err *err);
/* fsyncs both files and the directory.  The writer is then only to be freed. */
enum errc coinfile_writer_finish(struct coinfile_writer *w, struct coinfile_info *out,
                                 struct err *err);
void coinfile_writer_free(
    struct coinfile_writer *w); /* unfinished: removes the files */
DEFINE_CLEANUP(struct coinfile_writer, coinfile_writer_free)

/* --- reading --- */
struct coinfile;

/*
 * Maps path.  The index is used if it is sound and gives want_root, else it is rebuilt
 * by one full pass and written beside, if that can be (info.index_rebuilt); if the file
 * then has another root, STORAGE_CORRUPT. want_root NULL: any (the caller looks at
 * info).
 */
enum errc coinfile_open(const char *path, const char *idx_path,
                        const uint8_t want_root[32], struct coinfile **out,
                        struct err *err);
void coinfile_close(struct coinfile *f);
DEFINE_CLEANUP(struct coinfile, coinfile_close)
const struct coinfile_info *coinfile_info(const struct coinfile *f);

/* *found false if there is none.  STORAGE_CORRUPT if the chunk lost its hash. */
enum errc coinfile_find(struct coinfile *f, const struct outpoint *at, bool *found,
                        struct coin *out, struct err *err);

/* All coins in order; stops early when each() returns other than ERR_OK. */
enum errc coinfile_scan(struct coinfile *f,
                        enum errc (*each)(void *arg, const struct coin *coin,
                                          struct err *err),
                        void *arg, struct err *err);

/* The same of their records (store/coinrec.h). */
enum errc coinfile_records(struct coinfile *f,
                           enum errc (*each)(void *arg, const uint8_t *rec, size_t len,
                                             struct err *err),
                           void *arg, struct err *err);

/* Full pass over the file on disk: every chunk hash, order, bound, count, total.
   ERR_CANCELED when cancel (NULL: never) is set meanwhile. */
enum errc coinfile_verify(struct coinfile *f, const atomic_bool *cancel,
                          struct err *err);

#endif
