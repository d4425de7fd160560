#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "store/coinidx_layout.h"

/* Rows of one size, growing. */
struct rows {
    uint8_t *bytes;
    size_t len, cap;
};

struct coinidx_builder {
    uint8_t head[COINHEAD_BYTES];
    uint64_t offset;      /* of the next record */
    uint64_t sparse_from; /* of the last sparse key */
    uint64_t coins, chunk_start;
    uint32_t chunk_coins;
    uint8_t chunk_key[COINREC_KEY]; /* of the chunk's first record */
    u128 total;
    struct rows chunks, sparse;
};

static uint8_t *add_row(struct rows *r, size_t size)
{
    if (r->len + size > r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64 * size;
        r->bytes = xrealloc(r->bytes, r->cap);
    }
    r->len += size;
    return r->bytes + r->len - size;
}

struct coinidx_builder *coinidx_builder_create(const uint8_t head[COINHEAD_BYTES])
{
    struct coinidx_builder *b = xcalloc(1, sizeof(*b));

    memcpy(b->head, head, COINHEAD_BYTES);
    b->offset = b->chunk_start = COINHEAD_BYTES;
    return b;
}

void coinidx_builder_free(struct coinidx_builder *b)
{
    if (!b)
        return;
    free(b->chunks.bytes);
    free(b->sparse.bytes);
    free(b);
}

bool coinidx_builder_fits(const struct coinidx_builder *b, size_t len)
{
    return b->offset - b->chunk_start + len <= COINFILE_CHUNK_MAX;
}

void coinidx_builder_record(struct coinidx_builder *b, const uint8_t key[COINREC_KEY],
                            size_t len, u128 atto)
{
    if (b->chunk_coins == 0 || b->offset - b->sparse_from >= COINIDX_STRIDE) {
        uint8_t *row = add_row(&b->sparse, COINIDX_KEY);

        memcpy(row, key, COINREC_KEY);
        bytes_put_le64(row + COINIDX_KEY_OFFSET, b->offset);
        b->sparse_from = b->offset;
    }
    if (b->chunk_coins == 0)
        memcpy(b->chunk_key, key, COINREC_KEY);
    b->chunk_coins++;
    b->coins++;
    b->total += atto; /* below 2^128 as a file is at most COINFILE_BYTES_MAX */
    b->offset += len;
}

void coinidx_builder_chunk(struct coinidx_builder *b, const uint8_t sha256[32])
{
    uint8_t *row = add_row(&b->chunks, COINIDX_ROW);

    bytes_put_le64(row + COINIDX_ROW_OFFSET, b->chunk_start);
    bytes_put_le32(row + COINIDX_ROW_LEN, (uint32_t)(b->offset - b->chunk_start));
    bytes_put_le32(row + COINIDX_ROW_COUNT, b->chunk_coins);
    memcpy(row + COINIDX_ROW_KEY, b->chunk_key, COINREC_KEY);
    memcpy(row + COINIDX_ROW_SHA, sha256, 32);
    b->chunk_start = b->offset;
    b->chunk_coins = 0;
}

uint8_t *coinidx_builder_finish(const struct coinidx_builder *b, size_t *len)
{
    uint8_t *out, *end;

    assert(b->chunk_coins == 0);
    *len = COINIDX_TABLE + b->chunks.len + b->sparse.len + COINIDX_SUM;
    out = xcalloc(1, *len);
    memcpy(out + COINIDX_MAGIC, coinidx_magic, 8);
    bytes_put_le32(out + COINIDX_VERSION, COINIDX_FORMAT);
    bytes_put_le32(out + COINIDX_CHUNKS, (uint32_t)(b->chunks.len / COINIDX_ROW));
    bytes_put_le64(out + COINIDX_SPARSE, b->sparse.len / COINIDX_KEY);
    bytes_put_le64(out + COINIDX_FILE_BYTES, b->offset);
    bytes_put_le64(out + COINIDX_COINS, b->coins);
    u128_store(b->total, out + COINIDX_TOTAL);
    memcpy(out + COINIDX_HEAD, b->head, COINHEAD_BYTES);
    end = out + COINIDX_TABLE;
    if (b->coins > 0) {
        memcpy(end, b->chunks.bytes, b->chunks.len);
        memcpy(end + b->chunks.len, b->sparse.bytes, b->sparse.len);
        end += b->chunks.len + b->sparse.len;
    }
    hash_sha256(out, (size_t)(end - out), end);
    return out;
}
