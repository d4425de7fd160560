#ifndef STORE_FRAMEWRITER_H
#define STORE_FRAMEWRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "store/chunktable.h"

/*
 * Writes the body of a snapshot, base.coins.zst and chunks.bin, out of coins in order:
 * one chunk in memory, and 32 bytes for each written.  One thread.
 */
struct framewriter;

/* Creates both files, which must not be there. */
enum errc framewriter_create(const char *frames_path, const char *table_path,
                             struct framewriter **out, struct err *err);
void framewriter_free(struct framewriter *w); /* the files stay */
DEFINE_CLEANUP(struct framewriter, framewriter_free)
/* A record that coinrec_encode made.  As coinrec_order, and STATE_BOUNDS: too many. */
enum errc framewriter_add(struct framewriter *w, const uint8_t *rec, size_t len,
                          struct err *err);
/* Both files synced, though not their directory; what a manifest says of them.  The
   writer is then only to be freed. */
enum errc framewriter_finish(struct framewriter *w, struct chunktable_want *out,
                             struct err *err);

#endif
