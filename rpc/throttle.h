#ifndef RPC_THROTTLE_H
#define RPC_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/*
 * How often wrong tokens come from where.  A right one is never held up: 256 random
 * bits are not guessed, and who shares the operator's address must not lock the
 * operator out.  Who asks in vain is told to slow down.  A table of fixed size; any
 * thread.
 */
struct throttle;

enum { THROTTLE_WRONG_MAX = 20, THROTTLE_WINDOW_MS = 60000 };

struct throttle *throttle_create(void);
void throttle_free(struct throttle *t); /* NULL: no-op */
DEFINE_CLEANUP(struct throttle, throttle_free)

/* One more wrong token from there.  True: more than THROTTLE_WRONG_MAX in this window
   (of the monotonic clock). */
bool throttle_wrong(struct throttle *t, const struct sockaddr *from,
                    int64_t now_mono_ms);

/* Until the window ends; at least 1. */
unsigned throttle_seconds_left(int64_t now_mono_ms);

#endif
