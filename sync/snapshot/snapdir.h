#ifndef SYNC_SNAPSHOT_SNAPDIR_H
#define SYNC_SNAPSHOT_SNAPDIR_H

#include <stdatomic.h>

#include "store/frame.h"
#include "sync/snapshot/manifest.h"

/*
 * A snapshot as a directory of three files (docs/snapshot-format.md), named by its id.
 * One that is being written has another name, until all of it is durable.
 */
#define SNAPDIR_MANIFEST   "manifest.json"
#define SNAPDIR_TABLE      "chunks.bin"
#define SNAPDIR_FRAMES     "base.coins.zst"
#define SNAPDIR_HEADERS    "headers.bin" /* of one that came in a bundle: sync/bundle */
#define SNAPDIR_INCOMPLETE ".incomplete" /* what such a name ends with */

/* --- reading: one thread at a time --- */
struct snapdir;

/* Checks the manifest by itself, the table against it, and the body's size.  As
   manifest_parse and chunktable_open; PAYLOAD_HASH_MISMATCH when the body has another
   size. */
enum errc snapdir_open(const char *path, struct snapdir **out, struct err *err);
void snapdir_close(struct snapdir *s);
DEFINE_CLEANUP(struct snapdir, snapdir_close)
const struct manifest *snapdir_manifest(const struct snapdir *s);
const struct chunktable *snapdir_table(const struct snapdir *s);

/* Chunk i, unpacked and checked as frame_open does; until the next call on s. */
enum errc snapdir_chunk(struct snapdir *s, uint32_t i, const uint8_t **raw,
                        const struct coinpart **part, struct err *err);
/* All coins in order, a chunk at a time; stops early when each() returns other than
   ERR_OK.  At the end the chunk rule and the sum hold, else PAYLOAD_MALFORMED. */
enum errc snapdir_scan(struct snapdir *s,
                       enum errc (*each)(void *arg, const struct coin *coin,
                                         struct err *err),
                       void *arg, struct err *err);
/* All of it but the signatures.  cancel (ERR_CANCELED) and done, in bytes of the body,
   may be NULL. */
enum errc snapdir_verify(struct snapdir *s, const atomic_bool *cancel,
                         _Atomic uint64_t *done, struct err *err);

/* The manifest with signatures that were gathered, in place of the one there.
   ERR_CONFLICT: it is another snapshot's. */
enum errc snapdir_replace_manifest(const char *path, const struct manifest *m,
                                   struct err *err);

/* Removes the three files, the manifest first, and the directory.  One that is not
   there is no error. */
enum errc snapdir_remove(const char *path, struct err *err);

/* --- writing: one thread --- */
struct snapdir_about {
    struct header header; /* of the block that the coins are after; of its
                             signature and key nothing is kept */
    struct work work;
    const struct chain_params *params; /* borrowed for the call */
};

struct snapdir_writer;

/* Begins <parent>/<height>-<block hash, 16 digits>.incomplete; one of that name is a
   leftover and goes. */
enum errc snapdir_writer_create(const char *parent, const struct snapdir_about *about,
                                struct snapdir_writer **out, struct err *err);
/* As coinfile_writer_add and coinfile_writer_add_record. */
enum errc snapdir_writer_add(struct snapdir_writer *w, const struct coin *coin,
                             struct err *err);
enum errc snapdir_writer_add_record(struct snapdir_writer *w, const uint8_t *rec,
                                    size_t len, struct err *err);
/* XAI's state_hash of these coins, before the end; without it the manifest says null.
 */
void snapdir_writer_xai(struct snapdir_writer *w, const uint8_t state_hash[32]);
/* Durable at <parent>/<id> when it returns; the manifest, unsigned, is the caller's.
   ERR_CONFLICT when it is there already: then that one stays.  The writer is then only
   to be freed. */
enum errc snapdir_writer_finish(struct snapdir_writer *w, struct manifest **out,
                                struct err *err);
void snapdir_writer_free(
    struct snapdir_writer *w); /* unfinished: removes what it wrote */
DEFINE_CLEANUP(struct snapdir_writer, snapdir_writer_free)

#endif
