#ifndef SYNC_SNAPSHOT_DELTA_H
#define SYNC_SNAPSHOT_DELTA_H

#include <stdatomic.h>

#include "sync/snapshot/manifest.h"

/*
 * The way from one snapshot's coins to another's, in one file
 * (docs/snapshot-format.md): which snapshots, the manifest of the later one with its
 * signatures, then keys removed and records added in key order, in zstd frames of
 * bounded size, and a table with a hash of each.  Nothing in it needs to be trusted:
 * what comes of applying it has the state root that the later manifest names, or it is
 * refused.
 */
enum {
    DELTA_HEAD = 264,
    DELTA_ROW = 40,
    DELTA_RAW_MAX = 256 << 10, /* of a frame, unpacked */
    DELTA_FRAMES_MAX = 1 << 18,
};

struct delta_info {
    uint8_t from_digest[32], from_root[32], to_digest[32], to_root[32];
    uint64_t removed, added;
    uint32_t frames;
    uint64_t bytes; /* of the file */
};

/* --- making --- */
struct delta_watch {           /* of what takes long */
    const atomic_bool *cancel; /* ends with ERR_CANCELED soon; NULL */
    _Atomic uint64_t *done;    /* bytes of coins gone over; NULL */
};

/* From the directories of two snapshots of one network; path is created or truncated,
   synced, and removed again when it fails.  Constant memory. */
enum errc delta_make(const char *from, const char *to, const char *path,
                     const struct delta_watch *watch, struct delta_info *out,
                     struct err *err);

/* --- reading: one thread at a time --- */
struct delta;

/* PAYLOAD_MALFORMED: no delta, or a part of it is not what its hash says; also the
   reasons of manifest_parse.  Frames are looked at as they are read. */
enum errc delta_open(const char *path, struct delta **out, struct err *err);
void delta_close(struct delta *d);
DEFINE_CLEANUP(struct delta, delta_close)
const struct delta_info *delta_info(const struct delta *d);
const struct manifest *delta_manifest(const struct delta *d); /* of the later one */

struct delta_item {
    const uint8_t *rec; /* NULL: the end */
    size_t len;         /* of a removed one: COINREC_KEY */
    bool removed;
};
/* In key order; valid until the next call.  At the end the counts hold. */
enum errc delta_next(struct delta *d, struct delta_item *out, struct err *err);

/* --- applying --- */
/*
 * The earlier coins' records go in, in order; the later ones' come out through put.
 * STATE_BOUNDS when the delta is not of these coins: a key to be removed that is not
 * there, one to be added that is.  d is read to its end.
 */
struct delta_merge {
    struct delta *d;
    enum errc (*put)(void *arg, const uint8_t *rec, size_t len, struct err *err);
    void *arg;
    struct delta_item next; /* not merged yet */
};
enum errc delta_merge_begin(struct delta_merge *m, struct err *err);
enum errc delta_merge_add(struct delta_merge *m, const uint8_t *rec, size_t len,
                          struct err *err);
enum errc delta_merge_end(struct delta_merge *m, struct err *err);

/* The coin file of the earlier snapshot (whatever block its header names) and the delta
   to the later one's: at coins, with its index at idx, synced.  PAYLOAD_HASH_MISMATCH
   unless it has the later state root; then nothing is left. */
struct delta_coins {
    const char *from, *from_idx, *delta, *coins, *idx;
};
enum errc delta_apply_coins(const struct delta_coins *paths,
                            const struct delta_watch *watch, struct coinfile_info *out,
                            struct err *err);

/* The snapshot in directory from and the delta to the later snapshot, at <parent>/<id>
   with its manifest and signatures.  PAYLOAD_HASH_MISMATCH when it has not the later
   state root, or its frames are not those of the manifest (another version of zstd). */
enum errc delta_apply(const char *from, const char *path, const char *parent,
                      const struct delta_watch *watch, struct manifest **out,
                      struct err *err);

#endif
