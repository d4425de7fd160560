#ifndef RPC_WAIT_H
#define RPC_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "sync/reads.h"

/*
 * Calls that wait for a job.  One thread blocks on the engine's status for all of them.
 */
struct waits;

/* Embedded in the waiting request, which lives until done was called. */
struct wait_item {
    int64_t job_id;
    int64_t until_mono_ms;
    void (*done)(struct wait_item *item); /* once, on the waiting thread */
};

struct waits *waits_create(struct engine *engine, struct reads *reads);
/* False when waits_stop was called: done is not called then. */
bool waits_add(struct waits *w, struct wait_item *item)
    __attribute__((warn_unused_result));
/* Calls done for all that wait, and takes no more. */
void waits_stop(struct waits *w);
/* After waits_stop, when no waits_add can be running.  NULL: no-op. */
void waits_free(struct waits *w);

#endif
