#ifndef SYNC_PEER_TRANSFER_H
#define SYNC_PEER_TRANSFER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * One thread that runs libcurl's multi interface.  A request is an owned struct that is
 * submitted, carried out, and handed back exactly once through done(), on the transfer
 * thread, with its result inside: also when it failed, was cancelled, or the transfer
 * was stopped.  Any thread may submit.
 */
struct transfer;

enum { TRANSFER_OUTSTANDING_MAX = 1024 }; /* submitted and not handed back */

struct transfer_request {
    /* What to get.  Set by the owner before submitting; strings are owned. */
    char *url;
    char *path;      /* NULL: the body goes to memory; else appended to this file */
    char *etag_path; /* of a body that goes to path: its ETag, there before the body's
                        first byte and gone while it has none; NULL */
    uint64_t offset; /* of the file: resume there by Range; 0 starts anew */
    bool has_range;  /* get bytes range_from..range_to only (memory) */
    uint64_t range_from, range_to; /* from UINT64_MAX: the last range_to bytes */
    char *etag;                    /* for a resume (If-Range); NULL */
    uint64_t max_bytes;  /* of the body, with offset; more is PAYLOAD_TOO_LARGE */
    uint32_t timeout_ms; /* whole request; 0: none, min_speed guards */
    uint32_t connect_timeout_ms;
    uint64_t min_speed; /* bytes a second over min_speed_seconds; 0: none */
    uint32_t min_speed_seconds;
    bool hostile; /* the URL is a peer's word: trust.md's address rules apply */
    unsigned max_redirects;
    bool accept_zstd; /* the body may come packed, and is handed back as it came */
    uint64_t tag;     /* the owner's; not looked at */
    void *owner;      /* the owner's; not looked at */

    /* While it runs. */
    atomic_bool cancel;
    atomic_uint_fast64_t received; /* bytes of body so far, offset not counted */

    /* The result. */
    struct err err; /* ERR_OK: an HTTP answer came, whatever its status, in full */
    long status;    /* only 200 and 206 fill file or memory as asked ... */
    char *body; /* ... of others the first 4 KiB are here; NUL-terminated, or NULL */
    size_t body_len;
    uint64_t total; /* of the whole resource by Content-Range or -Length; 0: unknown */
    bool resumed;   /* 206 with the offset asked for */
    char checksum[65]; /* X-Chunk-Checksum (protocol.md 8.2), or its beginning */
    uint32_t retry_after_s;
    uint32_t elapsed_ms;
    char ip[46]; /* address connected to; "" when none */
};

struct transfer_request *transfer_request_new(const char *url);
void transfer_request_free(struct transfer_request *r);
DEFINE_CLEANUP(struct transfer_request, transfer_request_free)

struct transfer_config {
    unsigned max_connections, max_per_host;
    const char *user_agent;
    const char *const *allow_networks; /* CIDRs that hostile URLs may use; NULL-ended */
};

enum errc transfer_start(const struct transfer_config *cfg,
                         void (*done)(void *arg, struct transfer_request *r), void *arg,
                         struct transfer **out, struct err *err);
/* Takes ownership until done().  Never blocks: the owner has at most
   TRANSFER_OUTSTANDING_MAX requests outstanding. */
void transfer_submit(struct transfer *t, struct transfer_request *r);
/* Looks at every cancel flag now instead of at the next tick. */
void transfer_wake(struct transfer *t);
/* Every request still there is handed back as ERR_CANCELED; then joins.  NULL: no-op.
   Not from done(). */
void transfer_stop(struct transfer *t);

#endif
