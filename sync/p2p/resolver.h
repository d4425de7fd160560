#ifndef SYNC_P2P_RESOLVER_H
#define SYNC_P2P_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sync/peer/cidr.h"
#include "sync/peer/url.h"

/*
 * Names to addresses on a thread of its own, since the system's resolver blocks.  Each
 * lookup is owned by the thread until done(), called there, exactly once.
 */
enum { RESOLVER_ADDRESSES_MAX = 4, RESOLVER_QUEUE_MAX = 1024 };

struct lookup {
    uint64_t id; /* the owner's */
    char host[URL_HOST_MAX];

    struct cidr addresses[RESOLVER_ADDRESSES_MAX];
    size_t count; /* 0: none found */
};

struct resolver;
enum errc resolver_start(void (*done)(void *arg, struct lookup *l), void *arg,
                         struct resolver **out, struct err *err);
/* Takes l.  Never blocks; false, and l is the caller's, when too many wait. */
bool resolver_submit(struct resolver *r, struct lookup *l);
/* Hands back what waits, without looking it up, and joins; a lookup under way ends
   within some seconds.  NULL: no-op. */
void resolver_stop(struct resolver *r);

#endif
