#ifndef SYNC_PUBLISH_S3_H
#define SYNC_PUBLISH_S3_H

#include "sync/publish/s3call.h"

/*
 * What is done with an object store.  Trouble of the network and of a busy store (5xx,
 * 429) is tried again, after a wait that doubles, and after as long as it asks for;
 * what remains, and whatever else it says no to, is the caller's, with its reason.
 * One thread, which waits.
 */
enum { S3_SMALL_MAX = 1 << 20 }; /* of an object that is read to memory */

struct s3info {
    bool exists;
    uint64_t bytes;
    bool has_sha256; /* it was put with one */
    uint8_t sha256[32];
};

struct s3put {
    const char *key;
    const struct s3body *body;
    const char *content_type, *cache_control;
    const uint8_t *meta_sha256; /* 32 bytes; NULL */
};

/* The call, tried again where that may help, answered with 2xx.  NOT_FOUND for 404. */
enum errc s3_do(struct s3 *s, const struct s3call *call, struct s3answer *out,
                struct err *err);

enum errc s3_head(struct s3 *s, const char *key, struct s3info *out, struct err *err);
/* Of at most S3_SMALL_MAX bytes; NUL-terminated, the caller's. */
enum errc s3_get(struct s3 *s, const char *key, struct buf *out, struct err *err);
/* Exactly so many bytes from there on, at most max of out. */
enum errc s3_get_range(struct s3 *s, const char *key, uint64_t from, struct buf *out,
                       struct err *err);
enum errc s3_put(struct s3 *s, const struct s3put *put, struct err *err);
enum errc s3_delete(struct s3 *s, const char *key, struct err *err); /* or was gone */

#endif
