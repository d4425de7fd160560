#ifndef SYNC_PEER_SEEDS_H
#define SYNC_PEER_SEEDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sync/peer/adverts.h"

/*
 * DNS seeds: the addresses of a name are P2P peers on URL_WS_PORT (protocol.md 9.1).
 * Resolving blocks, for some seconds at most: on a worker.
 */
enum { SEEDS_MAX = 64 }; /* addresses of one name; the rest is left out */

struct seeds {
    size_t count, refused; /* refused: local */
    char urls[SEEDS_MAX][URL_WS_MAX];
};

/* tls: wss, else ws.  SOURCE_UNREACHABLE when the name cannot be resolved. */
enum errc seeds_resolve(const char *name, bool tls, const struct adverts_allow *allow,
                        struct seeds *out, struct err *err);

#endif
