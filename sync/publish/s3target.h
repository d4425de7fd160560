#ifndef SYNC_PUBLISH_S3TARGET_H
#define SYNC_PUBLISH_S3TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * Where in which object store.  The operator's word, checked so that a URL and a
 * signature made of it mean one thing; constant once made, any thread.
 */
enum {
    S3_ENDPOINT_MAX = 300,
    S3_REGION_MAX = 64,
    S3_BUCKET_MAX = 63,  /* and at least 3: Amazon S3, bucket naming rules */
    S3_PREFIX_MAX = 512, /* of the 1024 that a key may have */
    S3_KEY_MAX = 1024,
};

struct s3target {
    char *endpoint; /* "https://host[:port]", no path */
    char *region;   /* what signatures name; any, for a store that has none */
    char *bucket;
    char *prefix;    /* "snapshots/main"; "" for none */
    bool path_style; /* https://host/bucket/key; else https://bucket.host/key */
};

/* INVALID names the member that is wrong.  The strings are copied; prefix may be NULL.
 */
enum errc s3target_create(const char *endpoint, const char *region, const char *bucket,
                          const char *prefix, struct s3target **out, struct err *err);
void s3target_free(struct s3target *t);
DEFINE_CLEANUP(struct s3target, s3target_free)

/* The key of name under the prefix; the caller's. */
char *s3target_key(const struct s3target *t, const char *name);

/* The URL of a key with a query that is "" or, as signatures want it, sorted and
   encoded; the caller's. */
char *s3target_url(const struct s3target *t, const char *key, const char *query);

/* Everything but A-Z a-z 0-9 - . _ ~ as %XX (SigV4's rule); the caller's. */
char *s3target_encode(const char *text);

#endif
