#ifndef SYNC_PUBLISH_PUBLISH_SOURCE_H
#define SYNC_PUBLISH_PUBLISH_SOURCE_H

#include <stdatomic.h>

#include "base/cleanup.h"
#include "sync/snapshot/manifest.h"

/*
 * A snapshot's directory, proven: the table by the manifest's hash, each frame by the
 * table's.  What goes to an immutable name is looked at first.  One thread.
 */
enum { PUBLISH_SOURCE_FILES = 2 };

struct publish_file {
    const char *name;
    int fd;
    uint64_t bytes;
    uint8_t sha256[32];
};

struct publish_source {
    char *dir;
    struct manifest *manifest;
    char id[MANIFEST_ID];
    struct publish_file files[PUBLISH_SOURCE_FILES]; /* the table, then the frames */
};

/* seen: how many bytes of how many have been read, now and then; cancel may be NULL. */
enum errc publish_source_open(const char *dir, const atomic_bool *cancel,
                              void (*seen)(void *arg, uint64_t bytes, uint64_t of),
                              void *arg, struct publish_source **out, struct err *err);
void publish_source_free(struct publish_source *s);
DEFINE_CLEANUP(struct publish_source, publish_source_free)

#endif
