#ifndef RPC_SLOW_H
#define RPC_SLOW_H

#include <stdbool.h>

/*
 * Threads for calls that would keep the HTTP server's polling threads busy.  Unlike
 * base/pool one can submit at any time: after slow_stop it is refused.
 */
struct slow;

/* Embedded in the request, which lives until run returned what it hands on. */
struct slow_item {
    void (*run)(
        struct slow_item *item); /* once; must not touch item after handing it on */
};

struct slow *slow_create(void);
/* False when slow_stop was called: run is not called then. */
bool slow_add(struct slow *s, struct slow_item *item)
    __attribute__((warn_unused_result));
/* Runs what is queued, joins, and takes no more. */
void slow_stop(struct slow *s);
/* After slow_stop, when no slow_add can be running.  NULL: no-op. */
void slow_free(struct slow *s);

#endif
