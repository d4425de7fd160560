#ifndef SYNC_PUBLISH_S3CALL_H
#define SYNC_PUBLISH_S3CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sync/publish/s3keys.h"
#include "sync/publish/s3target.h"
#include "sync/publish/s3xml.h"

/*
 * One signed request to an object store and its answer, by libcurl.  A struct s3 has
 * one connection and belongs to one thread, which a call keeps waiting; what it points
 * to outlives it.
 *
 * libcurl signs what it is given: of Debian 12's (7.88), the query as it stands, so it
 * comes sorted, encoded, and with a '=' after every name; all fields of our own,
 * ordered by their whole line, so that none's name may begin another's; and the
 * payload's hash that a field of ours names.  Later ones sort and encode themselves, to
 * the same end.
 */
struct s3 {
    const struct s3target *target;
    const struct s3keys *keys;
    const atomic_bool *cancel; /* looked at several times a second; NULL: never set */
    uint32_t stall_seconds; /* a request that moves nothing for so long is given up */
    void (*moved)(void *arg, uint64_t sent); /* of this request's body; NULL */
    void (*retrying)(void *arg, const struct err *why, uint32_t wait_ms); /* NULL */
    void *arg;
    void *easy; /* of libcurl, from the first call on; NULL */
};

/* What is sent: memory, or size bytes of a file from offset on. */
struct s3body {
    const void *bytes; /* NULL: fd */
    int fd;
    uint64_t offset, size;
    uint8_t sha256[32];
};

struct s3call {
    const char *method;        /* GET, HEAD, PUT, POST, DELETE */
    const char *key;           /* plain characters and '/' */
    const char *query;         /* "" or "a=1&b=" in order and encoded */
    const struct s3body *body; /* NULL: none */
    const char *content_type;  /* NULL: not said */
    const char *cache_control;
    const uint8_t *meta_sha256;      /* kept with the object: 32 bytes; NULL */
    bool has_range;                  /* of what is asked for */
    uint64_t range_from, range_size; /* size at least 1 */
    size_t answer_max;               /* bytes of body; more is STORE_BAD_ANSWER */
};

struct s3answer {
    long status;
    struct buf body;
    char etag[S3XML_ETAG_MAX]; /* "" when none that may be kept */
    bool has_sha256, has_bytes;
    uint8_t sha256[32]; /* what was put as meta_sha256 */
    uint64_t bytes;     /* Content-Length */
    uint32_t retry_after_s;
};

/* ERR_OK: an answer came in full, whatever its status.  STORE_UNREACHABLE: it did not.
   out is emptied first, and the caller's to empty with s3call_answer_fini in the end.
 */
enum errc s3call_perform(struct s3 *s, const struct s3call *call, struct s3answer *out,
                         struct err *err);
void s3call_fini(struct s3 *s); /* closes the connection */
void s3call_answer_fini(struct s3answer *a);

bool s3call_is_cancelled(const struct s3 *s);

#endif
