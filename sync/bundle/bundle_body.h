#ifndef SYNC_BUNDLE_BUNDLE_BODY_H
#define SYNC_BUNDLE_BUNDLE_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "sync/snapshot/manifest.h"

/* Table and frames of a snapshot: out of two places, which may be one file, checked,
   and into two others.  Private to the room. */
struct bundle_place {
    int table_fd, frames_fd;
    uint64_t table_at, frames_at; /* where they begin; not looked at when written to */
    const char *name;             /* for errors */
};

/* to NULL: only checked.  done counts the bytes of both.  As chunktable_read,
   frame_open and snapdir_verify. */
enum errc bundle_body_pass(const struct manifest *m, const struct bundle_place *from,
                           const struct bundle_place *to, _Atomic uint64_t *done,
                           struct err *err);

/* len bytes at a place of a file; PAYLOAD_MALFORMED when it ends before. */
enum errc bundle_body_read(int fd, uint64_t at, void *out, size_t len, const char *name,
                           struct err *err);

#endif
