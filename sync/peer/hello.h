#ifndef SYNC_PEER_HELLO_H
#define SYNC_PEER_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sync/chain/work.h"

/*
 * GET /peer/v1/hello?nonce=<64 hex digits>: who a Cairn is (docs/peer-protocol.md),
 * signed over the nonce that the asker has just made up, so that nobody shows another's
 * key from a recording.  (Who passes the question on shows an identity that is not its
 * own, and is counted as that one: it wins nothing.)  Its tip and what it serves are
 * its word.  Pure; any thread.
 */
enum { HELLO_SOFTWARE_MAX = 64 };

struct hello {
    char network[32];
    uint8_t genesis[32], identity[32];
    char software[HELLO_SOFTWARE_MAX + 1]; /* printable ASCII */
    bool has_tip;
    uint64_t tip_height;
    uint8_t tip_hash[32];
    struct work tip_work;
    bool has_headers, has_blocks; /* whether it serves any, and from which height on */
    uint64_t headers_from, blocks_from;
    const char *snapshots; /* to be written: a JSON array of ids; NULL: not told */
};

/* To be freed by the caller. */
char *hello_url(const char *base, const uint8_t nonce[32]);

/* The body of the answer, to be signed (signed.h). */
void hello_write(const struct hello *h, const uint8_t nonce[32], struct buf *out);

/* The whole answer.  PEER_BAD_ANSWER when it is none, or not to this nonce.  What it
   says of the network is for the caller to compare. */
enum errc hello_read(const char *text, size_t len, const uint8_t nonce[32],
                     struct hello *out, struct err *err);

#endif
