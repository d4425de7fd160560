#ifndef SYNC_BODY_FILES_H
#define SYNC_BODY_FILES_H

#include <stdatomic.h>

#include "store/chunktable.h"
#include "store/coinparts.h"
#include "store/frame.h"
#include "sync/body_keep.h"
#include "sync/snapshot/manifest.h"

/*
 * The files that a snapshot's body becomes: base.coins, each chunk written where it
 * belongs once it was verified, and the parts of its index.  base.coins itself is the
 * journal: what is in it and has its hash need not be fetched again.  Shared by the
 * engine and the workers of its tasks; whoever lets go last closes them.
 */
struct body_files {
    atomic_uint refs;
    atomic_bool stop; /* what is under way is not wanted any more */
    struct chunktable *table;
    struct coinparts *parts;
    struct body_keep *keep; /* NULL: the frames are not kept */
    struct coinfile_id id;
    u128 total;
    int fd; /* base.coins */
    char *coins, *idx;
};

struct body_paths {
    const char *table;       /* chunks.bin, whole */
    const char *parts;       /* of the index */
    const char *coins, *idx; /* of the generation that is built */
    const char *shelf;       /* where the snapshot is kept; NULL */
};

/* One reference, the caller's.  Errors of the table are chunktable_open's. */
enum errc body_files_open(const struct body_paths *paths, const struct manifest *m,
                          struct body_files **out, struct err *err);
struct body_files *body_files_ref(struct body_files *f);
void body_files_unref(struct body_files *f);
DEFINE_CLEANUP(struct body_files, body_files_unref)

/* Any thread.  Verifies the frame of chunk i and writes the chunk; raw is room for one.
   Errors are frame_open's, and those of the disk. */
enum errc body_files_take(struct body_files *f, struct frame *frame, uint32_t i,
                          const uint8_t *bytes, uint8_t *raw, struct err *err);
/* Chunk i is there and has its hash: an earlier run wrote it.  Any thread. */
bool body_files_have(struct body_files *f, uint32_t i, uint8_t *raw);
/* All chunks are there: the index is written, and everything on disk. */
enum errc body_files_finish(struct body_files *f, const char *table,
                            const struct manifest *m, struct err *err);

#endif
