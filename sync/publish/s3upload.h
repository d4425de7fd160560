#ifndef SYNC_PUBLISH_S3UPLOAD_H
#define SYNC_PUBLISH_S3UPLOAD_H

#include "sync/publish/s3.h"

/*
 * A large object in parts: begun, its parts sent in any order and any number of times,
 * then completed, which makes the object appear whole.  What the store says it has is
 * the truth about which parts are done: it took each only with the SHA-256 that was
 * signed.  As s3.h otherwise.
 */
enum {
    S3UPLOAD_PART_BYTES = 8 << 20, /* smallest; Amazon S3 wants 5 MiB but of the last */
    S3UPLOAD_ID_MAX = 1024,
};

struct s3upload {
    const char *key;
    const char *id; /* what s3upload_begin gave */
};

/* So large that there are at most S3XML_PARTS_MAX of them. */
uint64_t s3upload_part_bytes(uint64_t object_bytes);

/* The id of a new upload, the caller's; of put the body is not looked at. */
enum errc s3upload_begin(struct s3 *s, const struct s3put *put, char **id,
                         struct err *err);
/* number from 1. */
enum errc s3upload_part(struct s3 *s, const struct s3upload *u, unsigned number,
                        const struct s3body *body, struct err *err);
/* Every part that is there, numbers ascending; the caller's.  NOT_FOUND: no such
   upload, or no longer. */
enum errc s3upload_parts(struct s3 *s, const struct s3upload *u, struct s3part **out,
                         size_t *count, struct err *err);
/* Of parts as s3upload_parts gave them.  NOT_FOUND: no such upload, or completed. */
enum errc s3upload_complete(struct s3 *s, const struct s3upload *u,
                            const struct s3part *parts, size_t count, struct err *err);
enum errc s3upload_abort(struct s3 *s, const struct s3upload *u, struct err *err);

#endif
