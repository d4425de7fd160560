#ifndef RPC_BUDGET_H
#define RPC_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/*
 * What strangers may use, each (rpc/client.h) and all together: requests and bytes by
 * token buckets that refill steadily, connections and bytes under way by counts.  A
 * table of fixed size that is never allocated again: clients that fall into one slot
 * share it.  Lock-free; any thread.
 */
struct budget;

struct budget_limits {                              /* of one client, and of all */
    uint64_t requests_per_second, bytes_per_second; /* refill; burst: BUDGET_BURST_S */
    unsigned connections;
    uint64_t held; /* bytes of answers that were not yet read by their clients */
};

enum { BUDGET_BURST_SECONDS = 5 };

struct budget *budget_create(const struct budget_limits *one,
                             const struct budget_limits *all);
void budget_free(struct budget *b); /* NULL: no-op */
DEFINE_CLEANUP(struct budget, budget_free)

/* Whether one more connection may come at all: up to twice as many as may ask, so that
   the first ones too many can be told to wait. */
bool budget_room(struct budget *b, const struct sockaddr *from);
/* A connection that came and has its end reported later, whatever the answer: false
   when it is one too many. */
bool budget_connected(struct budget *b, const struct sockaddr *from);
void budget_disconnected(struct budget *b, const struct sockaddr *from);

/* One more request at a time of the monotonic clock.  0: it may be answered; else how
   many seconds to wait. */
unsigned budget_ask(struct budget *b, const struct sockaddr *from, int64_t now_mono_ms);

/* An answer that took so many bytes: made of bytes, whatever it is packed to; paid for
   by the requests after it. */
void budget_pay(struct budget *b, const struct sockaddr *from, size_t bytes,
                int64_t now_mono_ms);

/* Bytes of an answer that wait for their client, until released.  False: there are too
   many, and these are not counted. */
bool budget_hold(struct budget *b, const struct sockaddr *from, size_t bytes);
void budget_release(struct budget *b, const struct sockaddr *from, size_t bytes);

#endif
