#ifndef SYNC_PUBLISH_PUBLISH_IMPL_H
#define SYNC_PUBLISH_PUBLISH_IMPL_H

#include "sync/publish/publish.h"
#include "sync/publish/publish_source.h"
#include "sync/publish/s3.h"

/* Private to sync/publish/publish*.c. */

#define PUBLISH_IMMUTABLE "public, max-age=31536000, immutable"
#define PUBLISH_CHANGING  "no-cache"

struct publication {
    const struct publish_order *order;
    struct s3 s3;
    struct publish_source *source;
    struct publish_progress now;
    uint64_t before; /* bytes of this stage before the request that runs */
    struct publish_result result;
};

/* Says where it stands: bytes of what runs, after before. */
void publish_say(struct publication *p, uint64_t bytes);

/* One of the two large files.  publish_file.c */
enum errc publish_file_put(struct publication *p, const struct publish_file *f,
                           struct err *err);
/* manifest.json, with what signatures either has.  publish_names.c */
enum errc publish_names_manifest(struct publication *p, struct err *err);
/* latest.json, if it may move.  publish_names.c */
enum errc publish_names_latest(struct publication *p, struct err *err);

#endif
