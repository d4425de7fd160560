/* Chunk tables that are what their manifest names, and lie: what is accepted is written
   again byte for byte from its rows, and each place leads back to its row.  The first
   byte chooses what of the manifest is made to fit: 1 the sums, 2 the state root. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "store/chunktable.h"
#include "store/coinroot.h"

enum { FIT_SUMS = 1, FIT_ROOT = 2, KEY = 36 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void fit(struct chunktable_want *want, const uint8_t *table, int mode)
{
    AUTOFREE uint8_t *leaves = xcalloc((size_t)want->chunks + 1, 32);

    want->bytes = 120;
    want->total = 5;
    for (uint32_t i = 0; i < want->chunks; i++) {
        const uint8_t *row = table + CHUNKTABLE_HEAD + (size_t)i * CHUNKTABLE_ROW;

        if (mode & FIT_SUMS) {
            want->bytes += bytes_le32(row + KEY);
            want->frames_bytes += bytes_le32(row + KEY + 4);
            want->coins += bytes_le32(row + KEY + 8);
        }
        memcpy(leaves + (size_t)i * 32, row + KEY + 12, 32);
    }
    if (mode & FIT_ROOT)
        coinroot_compute(leaves, want->chunks, want->coins, want->total,
                         want->state_root);
}

static void check_rows(const struct chunktable *t, const struct chunktable_want *want,
                       const uint8_t *table)
{
    uint64_t raw = 120, frame = 0;

    require(chunktable_count(t) == want->chunks);
    for (uint32_t i = 0; i < want->chunks; i++) {
        uint8_t again[CHUNKTABLE_ROW];
        struct chunktable_row row;

        chunktable_row(t, i, &row);
        chunktable_row_write(&row, again);
        require(memcmp(again, table + CHUNKTABLE_HEAD + (size_t)i * CHUNKTABLE_ROW,
                       CHUNKTABLE_ROW) == 0);
        require(row.raw_bytes <= 1 << 20 && row.frame_bytes <= CHUNKTABLE_FRAME_MAX);
        require(row.raw_offset == raw && row.frame_offset == frame);
        require(chunktable_of_frame(t, frame) == i);
        require(chunktable_of_frame(t, frame + row.frame_bytes - 1) == i);
        require(chunktable_of_key(t, row.first_key) == i);
        require(row.last || memcmp(row.first_key, row.next_key, KEY) < 0);
        raw += row.raw_bytes;
        frame += row.frame_bytes;
    }
    require(raw == want->bytes && frame == want->frames_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(chunktable_free) struct chunktable *t = NULL;
    struct chunktable_want want = {0};
    const uint8_t *table = data + 1;
    struct err err = {0};
    size_t len;

    if (size < 1 + CHUNKTABLE_HEAD)
        return 0;
    len = size - 1;
    want.chunks = (uint32_t)((len - CHUNKTABLE_HEAD) / CHUNKTABLE_ROW);
    fit(&want, table, data[0]);
    hash_sha256(table, len, want.sha256);
    if (chunktable_read(table, len, &want, &t, &err) != ERR_OK) {
        require(t == NULL && (err.reason == REASON_PAYLOAD_MALFORMED ||
                              err.reason == REASON_PAYLOAD_HASH_MISMATCH));
        return 0;
    }
    require(len == chunktable_bytes(want.chunks));
    check_rows(t, &want, table);
    return 0;
}
