#ifndef RPC_PUBLIC_CALL_H
#define RPC_PUBLIC_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "rpc/public.h"
#include "sync/reads.h"

/*
 * What the public plane answers to a path (docs/peer-protocol.md): read-only, and
 * nothing else is here to be reached.  Knows nothing of libmicrohttpd; any thread.
 */
enum { PUBLIC_BODY_MAX = 16 << 20, PUBLIC_ETAG_TEXT = 67 };

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
    const char *known; /* If-None-Match; NULL */
};

struct public_say {
    unsigned status;
    const char *type;            /* of the body */
    bool lasting;                /* the same for ever */
    char etag[PUBLIC_ETAG_TEXT]; /* "" without */
    struct buf body;             /* the caller's to buf_fini */
};

void public_call(const struct public_site *site, const struct public_ask *ask,
                 struct public_say *say);

/* For the handlers in public_*.c: an error in stock's words. */
void public_call_error(struct public_say *say, unsigned status, const char *what);
/* The same for an error of the daemon's. */
void public_call_fail(struct public_say *say, const struct err *err);

#endif
