#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/pack_frames.h"
#include "store/frame.h"

struct frame {
    struct pack_frames *packer;
};

struct frame *frame_create(void)
{
    struct frame *f = xcalloc(1, sizeof(*f));

    f->packer = pack_frames_create();
    return f;
}

void frame_free(struct frame *f)
{
    if (!f)
        return;
    pack_frames_free(f->packer);
    free(f);
}

static bool has_hash(const uint8_t *bytes, size_t len, const uint8_t want[32])
{
    uint8_t sha[32];

    hash_sha256(bytes, len, sha);
    return memcmp(sha, want, sizeof(sha)) == 0;
}

static enum errc check_records(const struct chunktable_row *row, const uint8_t *raw,
                               struct coinpart *part, struct err *err)
{
    enum errc rc = coinpart_read(raw, row->raw_bytes, row->raw_offset, part, err);

    if (rc)
        return rc;
    if (part->coins != row->coins ||
        memcmp(part->first_key, row->first_key, COINREC_KEY) != 0)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "chunk: its first coin or their number is not the table's");
    if (!row->last && memcmp(part->last_key, row->next_key, COINREC_KEY) >= 0)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "chunk: its last coin is not before the next chunk");
    return ERR_OK;
}

enum errc frame_open(struct frame *f, const struct chunktable_row *row,
                     const uint8_t *bytes, uint8_t *raw, struct coinpart *part,
                     struct err *err)
{
    if (!has_hash(bytes, row->frame_bytes, row->frame_sha256))
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "frame: not the bytes the chunk table names");
    if (!pack_frames_get(f->packer, bytes, row->frame_bytes, raw, row->raw_bytes))
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "frame: no zstd frame of %u bytes", row->raw_bytes);
    if (!has_hash(raw, row->raw_bytes, row->raw_sha256))
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "frame: holds another chunk than the table names");
    return check_records(row, raw, part, err);
}

enum errc frame_check_raw(const struct chunktable_row *row, const uint8_t *raw,
                          struct coinpart *part, struct err *err)
{
    if (!has_hash(raw, row->raw_bytes, row->raw_sha256))
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "chunk: not the bytes the chunk table names");
    return check_records(row, raw, part, err);
}

void frame_seal(struct frame *f, const uint8_t *raw, const struct coinpart *part,
                uint8_t *out, struct chunktable_row *row)
{
    size_t n = pack_frames_put(f->packer, raw, part->bytes, out, CHUNKTABLE_FRAME_MAX);

    *row = (struct chunktable_row){
        .raw_bytes = part->bytes,
        .frame_bytes = (uint32_t)n,
        .coins = part->coins,
    };
    memcpy(row->first_key, part->first_key, COINREC_KEY);
    hash_sha256(raw, part->bytes, row->raw_sha256);
    hash_sha256(out, n, row->frame_sha256);
}
