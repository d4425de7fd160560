#ifndef SYNC_PEER_HEADERS_WIRE_H
#define SYNC_PEER_HEADERS_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sync/chain/header.h"

/*
 * Headers alone, as Cairns give them to each other (docs/peer-protocol.md): JSON lines,
 * or the compact form, about 106 bytes each.  The miner's key and signature travel too,
 * though the hash does not cover them: rule 2.1 is then checked as if the block had
 * come, and what is kept and served on does not depend on how it came.  Pure; any
 * thread.
 */
enum {
    HEADERS_WIRE_MAX = 10000,         /* headers in one answer */
    HEADERS_WIRE_BYTES_MAX = 8 << 20, /* of one answer, unpacked; may end it early */
    HEADERS_WIRE_KEYS = 64,           /* miners' keys that a header can refer back to */
};

struct headers_wire_keys { /* a ring of the last ones spelled out */
    size_t count;          /* ever */
    char text[HEADERS_WIRE_KEYS][HEADER_PUBKEY_MAX + 1];
};

/* Writes one answer in the compact form; the buffer is the caller's. */
struct headers_wire {
    uint64_t count, next_height, time_bits;
    uint32_t difficulty;
    uint8_t last[32];
    struct headers_wire_keys keys;
};

void headers_wire_begin(struct headers_wire *w, uint64_t from, struct buf *out);
/* The header after the last one.  INVALID, and nothing is written, if it is not, or has
   a signature or key that is no plain text: JSON lines can carry those. */
enum errc headers_wire_add(struct headers_wire *w, const struct header *h,
                           struct buf *out, struct err *err);
void headers_wire_end(struct headers_wire *w, struct buf *out);

/* One JSON line, as header_parse reads it. */
void headers_wire_line(const struct header *h, struct buf *out);

struct headers_wire_batch {
    uint64_t from;       /* asked for: headers of heights from, from + 1, ... */
    struct header *room; /* for max of them */
    size_t max;          /* at most HEADERS_WIRE_MAX */
    size_t count;        /* the answer: how many there are, perhaps none */
};

/*
 * An answer of either form, packed with zstd or not, from a peer.  Each header stands
 * on the one before it and has its computed hash; the compact form ends with the last
 * hash, so that a byte altered on the way is seen here.  Neither proof of work nor
 * signatures are looked at, and nothing says what the first stands on: that is the
 * caller's. PEER_BAD_ANSWER for whatever is wrong, more than max of them too; the room
 * is then undefined and the count as it was.
 */
enum errc headers_wire_decode(const void *bytes, size_t len,
                              struct headers_wire_batch *batch, struct err *err);

#endif
