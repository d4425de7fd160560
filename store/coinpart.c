#include <string.h>

#include "store/bytes.h"
#include "store/coinfile.h"
#include "store/coinidx_layout.h"
#include "store/coinpart.h"

_Static_assert(COINPART_KEY - (int)COINIDX_KEY == 0, "a sparse key");
_Static_assert(COINPART_KEYS_MAX *(int)COINIDX_STRIDE == (int)COINFILE_CHUNK_MAX,
               "a key in each stride");

static void add_key(struct coinpart *part, const uint8_t *rec, uint64_t offset)
{
    uint8_t *key = part->keys + (size_t)part->key_count++ * COINPART_KEY;

    memcpy(key, rec, COINREC_KEY);
    bytes_put_le64(key + COINIDX_KEY_OFFSET, offset);
}

enum errc coinpart_read(const uint8_t *raw, size_t len, uint64_t raw_offset,
                        struct coinpart *out, struct err *err)
{
    size_t sparse_from = 0, rec_len;
    const uint8_t *last = NULL;

    out->total = 0;
    out->bytes = (uint32_t)len;
    out->coins = out->key_count = 0;
    if (len == 0 || len > COINFILE_CHUNK_MAX)
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "chunk: %zu bytes", len);
    for (size_t at = 0; at < len; at += rec_len) {
        u128 atto;

        rec_len = coinrec_check(raw + at, len - at, &atto);
        if (rec_len == 0)
            return err_fail(err, REASON_PAYLOAD_MALFORMED, "chunk: no coin at byte %zu",
                            at);
        if (last && memcmp(last, raw + at, COINREC_KEY) >= 0)
            return err_fail(err, REASON_PAYLOAD_MALFORMED,
                            "chunk: coins out of order at byte %zu", at);
        if (!last || at - sparse_from >= COINIDX_STRIDE) {
            add_key(out, raw + at, raw_offset + at);
            sparse_from = at;
        }
        if (!last)
            out->first_len = (uint32_t)rec_len;
        last = raw + at;
        out->total += atto; /* at most 2^20 / 47 times 10^27 */
        out->coins++;
    }
    memcpy(out->first_key, raw, COINREC_KEY);
    memcpy(out->last_key, last, COINREC_KEY);
    return ERR_OK;
}
