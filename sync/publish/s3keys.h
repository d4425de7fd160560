#ifndef SYNC_PUBLISH_S3KEYS_H
#define SYNC_PUBLISH_S3KEYS_H

#include "base/cleanup.h"
#include "base/err.h"

/*
 * The operator's credentials for an object store, in memory that is locked and wiped.
 * libcurl makes copies of its own, so loading any also keeps this process's memory out
 * of core dumps from then on.  Messages of errors never hold a byte of them.  Constant
 * once made, any thread; made at start, or by a program that has one thread.
 */
enum { S3KEYS_ID_MAX = 256, S3KEYS_SECRET_MAX = 1024, S3KEYS_TOKEN_MAX = 4096 };

struct s3keys {
    char id[S3KEYS_ID_MAX];
    char secret[S3KEYS_SECRET_MAX];
    char token[S3KEYS_TOKEN_MAX]; /* of a session; "" for none */
};

/*
 * A file of mode 0600 or less with lines NAME=VALUE, of AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in either case, as in ~/.aws/credentials;
 * blank lines, # comments and one section [default] are skipped, all else is INVALID.
 */
enum errc s3keys_read(const char *path, struct s3keys **out, struct err *err);

/* The same names in an environment.  NOT_FOUND: neither is set. */
enum errc s3keys_from_environment(const char *const *environment, struct s3keys **out,
                                  struct err *err);

void s3keys_free(struct s3keys *k);
DEFINE_CLEANUP(struct s3keys, s3keys_free)

#endif
