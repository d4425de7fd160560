#ifndef SYNC_PEER_BLOCKS_WIRE_H
#define SYNC_PEER_BLOCKS_WIRE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

/*
 * Blocks as Cairns give them to each other (docs/peer-protocol.md): a canonical block a
 * line, in height order, packed with zstd or not.  This cuts an answer apart within
 * bounds; each line is for block_decode.  One thread at a time.
 */
enum {
    BLOCKS_WIRE_MAX = 1000,           /* blocks in one answer */
    BLOCKS_WIRE_LINE_MAX = 8 << 20,   /* JSON_LIMITS_BLOCK's */
    BLOCKS_WIRE_TARGET = 4 << 20,     /* an answer takes no further block over this */
    BLOCKS_WIRE_BYTES_MAX = 12 << 20, /* of one answer, unpacked */
};

struct blocks_wire {
    struct buf unpacked;
    const char *at, *end;
    size_t count, max;
};

/* bytes outlive it.  max: how many were asked for, at most BLOCKS_WIRE_MAX. */
enum errc blocks_wire_open(const void *bytes, size_t len, size_t max,
                           struct blocks_wire *out, struct err *err);
void blocks_wire_close(struct blocks_wire *w);

/* The next block's text, borrowed; *text NULL when there is none.  PEER_BAD_ANSWER for
   a line that does not end, is empty or too long, or is one too many. */
enum errc blocks_wire_next(struct blocks_wire *w, const char **text, size_t *len,
                           struct err *err);

#endif
