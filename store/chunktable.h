#ifndef STORE_CHUNKTABLE_H
#define STORE_CHUNKTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/u128.h"
#include "store/coinrec.h"

/*
 * The chunk table of a snapshot (chunks.bin, docs/snapshot-format.md): what proves each
 * chunk of a coin file by itself, raw and packed.  A struct chunktable is a checked
 * view of such a file, immutable, read by any thread.
 */
enum {
    CHUNKTABLE_HEAD = 8,
    CHUNKTABLE_ROW = 112,
    CHUNKTABLE_CHUNKS_MAX = 1 << 20, /* of 2^20 bytes: COINFILE_BYTES_MAX */
    CHUNKTABLE_FRAME_MAX = (1 << 20) + (1 << 12) + 64,
};

struct chunktable_row {
    uint32_t raw_bytes, frame_bytes, coins;
    uint64_t raw_offset;   /* in base.coins, whose header comes before the first */
    uint64_t frame_offset; /* in base.coins.zst */
    uint8_t first_key[COINREC_KEY], raw_sha256[32], frame_sha256[32];
    bool last;
    uint8_t next_key[COINREC_KEY]; /* first of the next chunk, unless last */
};

/* What a manifest says about the table and what it describes. */
struct chunktable_want {
    uint8_t sha256[32], state_root[32];
    uint32_t chunks;
    uint64_t coins, bytes, frames_bytes; /* bytes: of base.coins, header and all */
    u128 total;                          /* atto; only hashed into the state root */
};

struct chunktable;

/*
 * Every byte is checked against want; bytes are borrowed, and outlive the view.
 * PAYLOAD_HASH_MISMATCH: they are not what the manifest names, another source may have
 * that.  PAYLOAD_MALFORMED: they are, and lie about sizes, order, sums or the state
 * root; then the manifest is worth nothing.
 */
enum errc chunktable_read(const uint8_t *bytes, size_t len,
                          const struct chunktable_want *want, struct chunktable **out,
                          struct err *err);
/* The same of a file, mapped.  A size it cannot have is PAYLOAD_HASH_MISMATCH. */
enum errc chunktable_open(const char *path, const struct chunktable_want *want,
                          struct chunktable **out, struct err *err);
void chunktable_free(struct chunktable *t);
DEFINE_CLEANUP(struct chunktable, chunktable_free)

uint32_t chunktable_count(const struct chunktable *t);
uint64_t chunktable_bytes(uint32_t chunks); /* of chunks.bin */
/* i is below the count. */
void chunktable_row(const struct chunktable *t, uint32_t i, struct chunktable_row *out);
/* The chunk whose frame has this byte of base.coins.zst, which is below its size. */
uint32_t chunktable_of_frame(const struct chunktable *t, uint64_t frame_offset);
/* The only chunk that can hold this key; the first when it is below all, too.  There is
   a chunk. */
uint32_t chunktable_of_key(const struct chunktable *t, const uint8_t key[COINREC_KEY]);

/* Writing: the head, then the rows in order.  Offsets and what is next do not count. */
void chunktable_head_write(uint8_t out[CHUNKTABLE_HEAD]);
void chunktable_row_write(const struct chunktable_row *row,
                          uint8_t out[CHUNKTABLE_ROW]);

#endif
