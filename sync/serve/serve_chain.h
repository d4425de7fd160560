#ifndef SYNC_SERVE_SERVE_CHAIN_H
#define SYNC_SERVE_SERVE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "sync/reads.h"

/*
 * The active chain for other Cairns (docs/peer-protocol.md): appended to a buffer whose
 * maximum bounds the answer.  r is of reads_chain.  Any thread; knows nothing of HTTP.
 * What lost its hash is STORAGE_CORRUPT, and not served.
 */
enum { SERVE_BLOCK_MAX = 8 << 20 }; /* of one block's text */

/* At most count headers from a height on: fewer when the chain ends or the buffer is
   nearly full.  INVALID when the very first cannot be written in the compact form. */
enum errc serve_chain_headers(struct reader *r, uint64_t from, size_t count,
                              bool compact, struct buf *out, struct err *err);

/* At most count blocks, a line each; no further one once BLOCKS_WIRE_TARGET bytes are
   there.  Ends before the first height that has no body here. */
enum errc serve_chain_blocks(struct reader *r, uint64_t from, size_t count,
                             struct buf *out, struct err *err);

/* The hash of the active chain's block with a body at height. */
enum errc serve_chain_hash_at(struct reader *r, uint64_t height, bool *found,
                              uint8_t hash[32], struct err *err);
/* Whether the active chain has a block with a body of this hash. */
enum errc serve_chain_has(struct reader *r, const uint8_t hash[32], bool *found,
                          struct err *err);
/* Its canonical text. */
enum errc serve_chain_block(struct reader *r, const uint8_t hash[32], struct buf *out,
                            struct err *err);

#endif
