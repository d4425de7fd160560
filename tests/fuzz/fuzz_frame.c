/* Frames and chunks that have their hashes: what is accepted is, coin by coin, encoded
   to the same bytes again, and packed and opened again it is the same.  The first byte
   says what the rest is: even a frame, whose chunk has the size in the next three
   bytes; odd a chunk as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/pack_frames.h"
#include "store/bytes.h"
#include "store/coinfile.h"
#include "store/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bench {
    struct frame *frame;
    struct pack_frames *packer;
    struct coinpart part, again;
    uint8_t raw[COINFILE_CHUNK_MAX], out[COINFILE_CHUNK_MAX];
    uint8_t packed[CHUNKTABLE_FRAME_MAX];
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static struct bench *bench(void)
{
    static struct bench *b;

    if (!b) {
        b = xcalloc(1, sizeof(*b));
        b->frame = frame_create();
        b->packer = pack_frames_create();
    }
    return b;
}

static void check_coins(const uint8_t *raw, const struct coinpart *part)
{
    u128 total = 0;
    size_t at = 0;

    for (uint32_t i = 0; i < part->coins; i++) {
        uint8_t rec[COINREC_MAX];
        struct coin coin;
        struct err err;
        size_t len;
        u128 atto;

        coinrec_decode(raw + at, &coin);
        require(coinrec_encode(&coin, rec, &len, &atto, &err) == ERR_OK);
        require(at + len <= part->bytes && memcmp(rec, raw + at, len) == 0);
        total += atto;
        at += len;
    }
    require(at == part->bytes && total == part->total);
    require(part->key_count >= 1 && part->key_count <= COINPART_KEYS_MAX);
}

static void pack_again(struct bench *b, const uint8_t *raw)
{
    struct chunktable_row row;
    struct err err;

    frame_seal(b->frame, raw, &b->part, b->packed, &row);
    require(row.frame_bytes <= row.raw_bytes + row.raw_bytes / 256 + 64);
    row.last = true;
    require(frame_open(b->frame, &row, b->packed, b->out, &b->again, &err) == ERR_OK);
    require(memcmp(b->out, raw, b->part.bytes) == 0);
    require(memcmp(b->again.keys, b->part.keys,
                   (size_t)b->part.key_count * COINPART_KEY) == 0);
}

static void try_chunk(struct bench *b, const uint8_t *raw, size_t len)
{
    struct err err = {0};

    if (coinpart_read(raw, len, 0, &b->part, &err) != ERR_OK) {
        require(err.reason == REASON_PAYLOAD_MALFORMED);
        return;
    }
    check_coins(raw, &b->part);
    pack_again(b, raw);
}

static void try_frame(struct bench *b, const uint8_t *data, size_t size)
{
    uint32_t raw = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16;
    struct chunktable_row row = {.raw_bytes = raw, .last = true};
    struct err err = {0};

    data += 3;
    size -= 3;
    if (raw == 0 || raw > COINFILE_CHUNK_MAX || size > CHUNKTABLE_FRAME_MAX)
        return;
    row.frame_bytes = (uint32_t)size;
    hash_sha256(data, size, row.frame_sha256);
    if (pack_frames_get(b->packer, data, size, b->raw, raw)) {
        hash_sha256(b->raw, raw, row.raw_sha256);
        if (coinpart_read(b->raw, raw, 0, &b->part, &err) == ERR_OK) {
            row.coins = b->part.coins;
            memcpy(row.first_key, b->part.first_key, COINREC_KEY);
        }
    }
    if (frame_open(b->frame, &row, data, b->raw, &b->part, &err) != ERR_OK) {
        require(err.reason == REASON_PAYLOAD_MALFORMED);
        return;
    }
    require(b->part.bytes == raw);
    check_coins(b->raw, &b->part);
    pack_again(b, b->raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5)
        return 0;
    if (data[0] % 2)
        try_chunk(bench(), data + 1, size - 1);
    else
        try_frame(bench(), data + 1, size - 1);
    return 0;
}
