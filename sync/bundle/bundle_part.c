#include <string.h>

#include "sync/bundle/bundle_part.h"

static const char compact[] = "CAIRNHD1"; /* docs/peer-protocol.md */

uint32_t bundle_part_length(const uint8_t le[BUNDLE_PART_LENGTH])
{
    return (uint32_t)le[0] | (uint32_t)le[1] << 8 | (uint32_t)le[2] << 16 |
           (uint32_t)le[3] << 24;
}

void bundle_part_put_length(size_t len, uint8_t le[BUNDLE_PART_LENGTH])
{
    for (size_t i = 0; i < BUNDLE_PART_LENGTH; i++)
        le[i] = (uint8_t)(len >> 8 * i);
}

enum errc bundle_part_headers(const uint8_t *bytes, size_t len,
                              struct headers_wire_batch *batch, struct err *err)
{
    struct err why = {.msg = "not in the compact form"};

    if (len >= sizeof(compact) - 1 &&
        memcmp(bytes, compact, sizeof(compact) - 1) == 0 &&
        headers_wire_decode(bytes, len, batch, &why) == ERR_OK) {
        if (batch->count == batch->max)
            return ERR_OK;
        why = (struct err){.msg = "too few"};
    }
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "headers from %llu: %.180s",
                    (unsigned long long)batch->from, why.msg);
}
