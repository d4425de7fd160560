#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "store/coinidx_layout.h"
#include "store/coinroot.h"

static const uint8_t *chunk_row(const struct coinidx *ix, uint32_t i)
{
    return ix->bytes + COINIDX_TABLE + (size_t)i * COINIDX_ROW;
}

static const uint8_t *sparse_key(const struct coinidx *ix, uint64_t i)
{
    return ix->bytes + COINIDX_TABLE + (size_t)ix->chunk_count * COINIDX_ROW +
           i * COINIDX_KEY;
}

static uint64_t sparse_offset(const struct coinidx *ix, uint64_t i)
{
    return bytes_le64(sparse_key(ix, i) + COINIDX_KEY_OFFSET);
}

struct coinidx_chunk coinidx_chunk(const struct coinidx *ix, uint32_t i)
{
    const uint8_t *row = chunk_row(ix, i);

    return (struct coinidx_chunk){
        .offset = bytes_le64(row + COINIDX_ROW_OFFSET),
        .len = bytes_le32(row + COINIDX_ROW_LEN),
        .count = bytes_le32(row + COINIDX_ROW_COUNT),
        .first_key = row + COINIDX_ROW_KEY,
        .sha256 = row + COINIDX_ROW_SHA,
    };
}

/* Chunks follow one another from the header to the end of the file. */
static bool chunks_are_sound(const struct coinidx *ix)
{
    uint64_t offset = COINHEAD_BYTES, coins = 0;

    for (uint32_t i = 0; i < ix->chunk_count; i++) {
        struct coinidx_chunk c = coinidx_chunk(ix, i);

        if (c.offset != offset || c.len < COINREC_MIN || c.len > COINFILE_CHUNK_MAX)
            return false;
        if (i > 0 && memcmp(c.first_key, chunk_row(ix, i - 1) + COINIDX_ROW_KEY,
                            COINREC_KEY) <= 0)
            return false;
        offset += c.len;
        coins += c.count;
    }
    return offset == ix->file_bytes && coins == ix->coin_count;
}

static bool sparse_ascends(const struct coinidx *ix, uint64_t i)
{
    return sparse_offset(ix, i) < ix->file_bytes &&
           (i == 0 ||
            (sparse_offset(ix, i - 1) < sparse_offset(ix, i) &&
             memcmp(sparse_key(ix, i - 1), sparse_key(ix, i), COINREC_KEY) < 0));
}

/* Ascending, and one at the start of each chunk, so that no span crosses chunks. */
static bool sparse_is_sound(const struct coinidx *ix)
{
    uint32_t begun = 0; /* chunks */

    if (ix->chunk_count == 0)
        return ix->sparse_count == 0;
    for (uint64_t i = 0; i < ix->sparse_count; i++) {
        struct coinidx_chunk c;

        if (!sparse_ascends(ix, i))
            return false;
        if (begun == ix->chunk_count)
            continue;
        c = coinidx_chunk(ix, begun);
        if (sparse_offset(ix, i) < c.offset) {
            if (begun == 0)
                return false;
            continue;
        }
        if (sparse_offset(ix, i) != c.offset ||
            memcmp(sparse_key(ix, i), c.first_key, COINREC_KEY) != 0)
            return false;
        begun++;
    }
    return begun == ix->chunk_count;
}

static bool size_is_sound(const struct coinidx *ix)
{
    uint64_t rest;

    /* Both counts are below 2^32 here, so nothing wraps. */
    if (ix->sparse_count > UINT32_MAX)
        return false;
    rest = (uint64_t)ix->chunk_count * COINIDX_ROW + ix->sparse_count * COINIDX_KEY;
    return ix->len == COINIDX_TABLE + rest + COINIDX_SUM;
}

bool coinidx_read(const uint8_t *bytes, size_t len, const uint8_t head[COINHEAD_BYTES],
                  uint64_t file_bytes, struct coinidx *out)
{
    struct coinidx ix = {.bytes = bytes, .len = len};
    uint8_t sum[32];

    if (len < COINIDX_TABLE + COINIDX_SUM ||
        memcmp(bytes + COINIDX_MAGIC, coinidx_magic, 8) != 0 ||
        bytes_le32(bytes + COINIDX_VERSION) != COINIDX_FORMAT)
        return false;
    ix.chunk_count = bytes_le32(bytes + COINIDX_CHUNKS);
    ix.sparse_count = bytes_le64(bytes + COINIDX_SPARSE);
    ix.file_bytes = bytes_le64(bytes + COINIDX_FILE_BYTES);
    ix.coin_count = bytes_le64(bytes + COINIDX_COINS);
    ix.total = u128_load(bytes + COINIDX_TOTAL);
    if (!size_is_sound(&ix) || ix.file_bytes != file_bytes ||
        memcmp(bytes + COINIDX_HEAD, head, COINHEAD_BYTES) != 0)
        return false;
    hash_sha256(bytes, len - COINIDX_SUM, sum);
    if (memcmp(sum, bytes + len - COINIDX_SUM, sizeof(sum)) != 0)
        return false;
    if (!chunks_are_sound(&ix) || !sparse_is_sound(&ix))
        return false;
    *out = ix;
    return true;
}

void coinidx_root(const struct coinidx *ix, uint8_t out[32])
{
    AUTOFREE uint8_t *leaves = xcalloc((size_t)ix->chunk_count + 1, 32);

    for (uint32_t i = 0; i < ix->chunk_count; i++)
        memcpy(leaves + (size_t)i * 32, chunk_row(ix, i) + COINIDX_ROW_SHA, 32);
    coinroot_compute(leaves, ix->chunk_count, ix->coin_count, ix->total, out);
}

/* The last sparse key that is not above key; sparse_count if all are. */
static uint64_t find_sparse(const struct coinidx *ix, const uint8_t key[COINREC_KEY])
{
    uint64_t low = 0, high = ix->sparse_count;

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;

        if (memcmp(sparse_key(ix, mid), key, COINREC_KEY) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 ? low - 1 : ix->sparse_count;
}

static uint32_t find_chunk(const struct coinidx *ix, uint64_t offset)
{
    uint32_t low = 0, high = ix->chunk_count;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (coinidx_chunk(ix, mid).offset <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

bool coinidx_seek(const struct coinidx *ix, const uint8_t key[COINREC_KEY],
                  uint64_t *from, uint64_t *end, uint32_t *chunk)
{
    uint64_t i = find_sparse(ix, key);

    if (i == ix->sparse_count)
        return false;
    *from = sparse_offset(ix, i);
    *end = i + 1 < ix->sparse_count ? sparse_offset(ix, i + 1) : ix->file_bytes;
    *chunk = find_chunk(ix, *from);
    return true;
}
