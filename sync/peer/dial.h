#ifndef SYNC_PEER_DIAL_H
#define SYNC_PEER_DIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sync/peer/cidr.h"

/*
 * The very addresses that a request may connect to.  What a peer names may not lead
 * into the operator's own networks, however its name resolves, and not over a
 * connection that a trusted request left open there either.  Transfer thread.
 */
struct dial_allow { /* networks that a hostile URL may reach all the same */
    struct cidr *networks;
    size_t count;
};

struct dial {
    bool hostile;
    const struct dial_allow *allow;
    struct err err; /* SOURCE_FORBIDDEN once an address was refused */
};

/* Has libcurl's handle ask d, which must live as long as the handle runs. */
bool dial_guard(void *easy, struct dial *d);

#endif
