#ifndef SYNC_BODY_KEEP_H
#define SYNC_BODY_KEEP_H

#include <stdatomic.h>

#include "store/chunktable.h"
#include "store/frame.h"
#include "sync/snapshot/manifest.h"

/*
 * The snapshot that is fetched, kept as it came, so that this node can serve it too:
 * <shelf>/<id>.incomplete, and <shelf>/<id> once it is whole and on disk.  What cannot
 * be kept is given up, not the job.  Any thread; different frames at once.
 */
struct body_keep;

/* NULL: not wanted (shelf NULL), or it is on the shelf already, or the shelf cannot be
 * written to (logged). */
struct body_keep *body_keep_open(const char *shelf, const struct manifest *m);
void body_keep_free(struct body_keep *k); /* closes; the files stay */
DEFINE_CLEANUP(struct body_keep, body_keep_free)

/* A frame that was proven. */
void body_keep_put(struct body_keep *k, const struct chunktable_row *row,
                   const uint8_t *frame);
/* Of a chunk that an earlier run wrote: its frame, if it is there or packing the chunk
   gives the same one again. */
void body_keep_restore(struct body_keep *k, const struct chunktable_row *row,
                       const uint8_t *raw);
/* All frames were put: table and manifest beside them, all of it on disk. */
void body_keep_finish(struct body_keep *k, const char *table, const struct manifest *m);
/* Finished, and the checkpoint accepted: it gets its name. */
void body_keep_commit(struct body_keep *k);
/* Not to be: the files go. */
void body_keep_drop(struct body_keep *k);

#endif
