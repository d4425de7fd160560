#ifndef RPC_PUBLIC_CALL_H
#define RPC_PUBLIC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "rpc/public.h"
#include "sync/reads.h"

/*
 * What the public plane answers to a path (docs/peer-protocol.md): read-only, and
 * nothing else is here to be reached.  Knows nothing of libmicrohttpd; any thread.
 */
enum { PUBLIC_BODY_MAX = 16 << 20, PUBLIC_ETAG_TEXT = 67, PUBLIC_RANGE_TEXT = 72 };

struct public_site { /* outlives the calls */
    const struct public_config *cfg;
    struct engine *engine;
    struct reads *reads;
};

struct public_ask {
    const char *path;
    /* A value of the query; NULL: not there.  "" without "=". */
    const char *(*value)(void *arg, const char *name);
    void *arg;
    const char *known;            /* If-None-Match; NULL */
    const char *range, *if_range; /* NULL; the first of a GET only */
};

struct public_file { /* a part of a file that does not change */
    bool open;
    int fd;
    uint64_t first, len;
};

struct public_say {
    unsigned status;
    const char *type;              /* of the body */
    bool lasting;                  /* the same for ever */
    char etag[PUBLIC_ETAG_TEXT];   /* "" without */
    char range[PUBLIC_RANGE_TEXT]; /* Content-Range; "" without */
    struct buf body;               /* the caller's to buf_fini */
    struct {                       /* of a chunk of stock's; chunks 0: it is none */
        uint64_t index;
        uint32_t chunks;
        char checksum[65];
    } chunk;
    struct public_file file; /* if open, what is said instead; the caller's to close */
};

void public_call(const struct public_site *site, const struct public_ask *ask,
                 struct public_say *say);

/* For the handlers in public_*.c: an error in stock's words. */
void public_call_error(struct public_say *say, unsigned status, const char *what);
/* The same for an error of the daemon's. */
void public_call_fail(struct public_say *say, const struct err *err);

#endif
