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

struct s3 publish_s3(const struct publish_store *store);
/* The end of what began with publish_s3; rc.  What was tried again, or was not there
   and need not be, leaves no trace in err. */
enum errc publish_end(struct s3 *s, enum errc rc, struct err *err);
char *publish_names_key(const struct s3target *t, const char *id,
                        const char *name); /* the caller's */

/* What is there of a small object; *there false: nothing. */
enum errc publish_names_get(struct s3 *s, const char *key, struct buf *out, bool *there,
                            struct err *err);
enum errc publish_names_put(struct s3 *s, const char *key, const struct buf *text,
                            struct err *err);
/* REVOKED when it was withdrawn there. */
enum errc publish_names_check(struct s3 *s, const char *id, struct err *err);

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
