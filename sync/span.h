#ifndef SYNC_SPAN_H
#define SYNC_SPAN_H

#include "sync/core.h"
#include "sync/peer/headers_wire.h"

/*
 * A range of headers as a Cairn answered with it, through a worker: unpacked, decoded,
 * each hashed and on the one before it, each miner's signature checked.  What the
 * lowest stands on and whether the highest is the one asked for is the engine's to say
 * (chase_span.c).  Made and read on the engine thread; in between it is the worker's.
 */
struct span {
    struct job_task base;
    char *answer; /* freed once it is decoded */
    size_t len;
    struct peer *peer;
    uint64_t serial;
    size_t slot;
    /* result */
    struct err err;
    struct headers_wire_batch batch; /* its room is the span's */
};

/* Takes the answer's body out of r: count headers from low upwards were asked for. */
struct span *span_new(struct transfer_request *r, uint64_t low, size_t count);
void span_free(struct span *s);

#endif
