#ifndef STORE_COINIDX_H
#define STORE_COINIDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/u128.h"
#include "store/coinhead.h"
#include "store/coinrec.h"

/*
 * The index of a coin file (docs/snapshot-format.md): chunk table and sparse keys.  It
 * is a function of the coin file, byte by byte, so a full pass can make it again and
 * compare. struct coinidx is a checked view of its bytes, which the owner keeps.  Any
 * thread.
 */
struct coinidx {
    const uint8_t *bytes;
    size_t len;
    uint32_t chunk_count;
    uint64_t sparse_count, file_bytes, coin_count;
    u128 total;
};

struct coinidx_chunk {
    uint64_t offset; /* in the coin file */
    uint32_t len, count;
    const uint8_t *first_key, *sha256;
};

/* False unless every byte is sound in itself and it is the index of a file of this size
   with this header. */
bool coinidx_read(const uint8_t *bytes, size_t len, const uint8_t head[COINHEAD_BYTES],
                  uint64_t file_bytes, struct coinidx *out);
struct coinidx_chunk coinidx_chunk(const struct coinidx *ix, uint32_t i);
void coinidx_root(const struct coinidx *ix, uint8_t out[32]);
/* The span of the coin file that holds key if any does, and its chunk; false: none. */
bool coinidx_seek(const struct coinidx *ix, const uint8_t key[COINREC_KEY],
                  uint64_t *from, uint64_t *end, uint32_t *chunk);

/* Fed with the file's records and chunk ends in order.  One thread. */
struct coinidx_builder;
struct coinidx_builder *coinidx_builder_create(const uint8_t head[COINHEAD_BYTES]);
void coinidx_builder_free(struct coinidx_builder *b);
DEFINE_CLEANUP(struct coinidx_builder, coinidx_builder_free)
/* The chunk rule: false if a record of len bytes belongs to the next chunk. */
bool coinidx_builder_fits(const struct coinidx_builder *b, size_t len);
void coinidx_builder_record(struct coinidx_builder *b, const uint8_t key[COINREC_KEY],
                            size_t len, u128 atto);
void coinidx_builder_chunk(struct coinidx_builder *b, const uint8_t sha256[32]);
/* The index's bytes, the caller's to free; all records lie in ended chunks. */
uint8_t *coinidx_builder_finish(const struct coinidx_builder *b, size_t *len);

#endif
