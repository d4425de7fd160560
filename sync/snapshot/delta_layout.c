#include <string.h>

#include "base/hash.h"
#include "base/pack_frames.h"
#include "store/bytes.h"
#include "sync/snapshot/delta_layout.h"

static const uint8_t magic[8] = {'C', 'A', 'I', 'R', 'N', 'D', 'L', '1'};

enum { /* offsets of the head */
       FROM_DIGEST = 8,
       FROM_ROOT = 40,
       TO_DIGEST = 72,
       TO_ROOT = 104,
       MANIFEST_BYTES = 136,
       FRAMES = 140,
       FRAMES_BYTES = 144,
       REMOVED = 152,
       ADDED = 160,
       MANIFEST_HASH = 168,
       TABLE_HASH = 200,
       HEAD_HASH = 232,
};

void delta_head_write(const struct delta_head *h, uint8_t out[DELTA_HEAD])
{
    memcpy(out, magic, sizeof(magic));
    memcpy(out + FROM_DIGEST, h->info.from_digest, 32);
    memcpy(out + FROM_ROOT, h->info.from_root, 32);
    memcpy(out + TO_DIGEST, h->info.to_digest, 32);
    memcpy(out + TO_ROOT, h->info.to_root, 32);
    bytes_put_le32(out + MANIFEST_BYTES, h->manifest_bytes);
    bytes_put_le32(out + FRAMES, h->info.frames);
    bytes_put_le64(out + FRAMES_BYTES, h->frames_bytes);
    bytes_put_le64(out + REMOVED, h->info.removed);
    bytes_put_le64(out + ADDED, h->info.added);
    memcpy(out + MANIFEST_HASH, h->manifest_sha256, 32);
    memcpy(out + TABLE_HASH, h->table_sha256, 32);
    hash_sha256(out, HEAD_HASH, out + HEAD_HASH);
}

uint64_t delta_head_file(const struct delta_head *h)
{
    return DELTA_HEAD + (uint64_t)h->manifest_bytes + h->frames_bytes +
           (uint64_t)h->info.frames * DELTA_ROW;
}

bool delta_head_read(const uint8_t in[DELTA_HEAD], struct delta_head *out)
{
    uint8_t hash[32];

    hash_sha256(in, HEAD_HASH, hash);
    if (memcmp(in, magic, sizeof(magic)) != 0 || memcmp(in + HEAD_HASH, hash, 32) != 0)
        return false;
    *out = (struct delta_head){.manifest_bytes = bytes_le32(in + MANIFEST_BYTES),
                               .frames_bytes = bytes_le64(in + FRAMES_BYTES)};
    out->info.frames = bytes_le32(in + FRAMES);
    out->info.removed = bytes_le64(in + REMOVED);
    out->info.added = bytes_le64(in + ADDED);
    memcpy(out->info.from_digest, in + FROM_DIGEST, 32);
    memcpy(out->info.from_root, in + FROM_ROOT, 32);
    memcpy(out->info.to_digest, in + TO_DIGEST, 32);
    memcpy(out->info.to_root, in + TO_ROOT, 32);
    memcpy(out->manifest_sha256, in + MANIFEST_HASH, 32);
    memcpy(out->table_sha256, in + TABLE_HASH, 32);
    if (out->manifest_bytes > MANIFEST_MAX || out->info.frames > DELTA_FRAMES_MAX ||
        out->frames_bytes >
            (uint64_t)out->info.frames * pack_frames_bound(DELTA_RAW_MAX))
        return false;
    out->info.bytes = delta_head_file(out);
    return true;
}

void delta_row_write(const struct delta_row *row, uint8_t out[DELTA_ROW])
{
    bytes_put_le32(out, row->frame_bytes);
    bytes_put_le32(out + 4, row->raw_bytes);
    memcpy(out + 8, row->sha256, 32);
}

void delta_row_read(const uint8_t in[DELTA_ROW], struct delta_row *out)
{
    out->frame_bytes = bytes_le32(in);
    out->raw_bytes = bytes_le32(in + 4);
    memcpy(out->sha256, in + 8, 32);
}
