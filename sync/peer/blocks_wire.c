#include <string.h>

#include "base/pack.h"
#include "sync/peer/blocks_wire.h"

enum errc blocks_wire_open(const void *bytes, size_t len, size_t max,
                           struct blocks_wire *out, struct err *err)
{
    CLEANUP_BUF struct buf unpacked = BUF(BLOCKS_WIRE_BYTES_MAX);

    if (len > BLOCKS_WIRE_BYTES_MAX)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "blocks: over %d bytes",
                        BLOCKS_WIRE_BYTES_MAX);
    if (pack_is_zstd(bytes, len)) {
        if (pack_unzstd(bytes, len, &unpacked, err) != ERR_OK)
            return err->code;
        bytes = unpacked.data;
        len = unpacked.len;
    }
    *out = (struct blocks_wire){.unpacked = unpacked, .at = bytes, .max = max};
    out->end = len > 0 ? out->at + len : out->at;
    unpacked = BUF(0);
    return ERR_OK;
}

void blocks_wire_close(struct blocks_wire *w)
{
    buf_fini(&w->unpacked);
}

enum errc blocks_wire_next(struct blocks_wire *w, const char **text, size_t *len,
                           struct err *err)
{
    const char *stop;

    *text = NULL;
    if (w->at == w->end)
        return ERR_OK;
    if (w->count == w->max)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "blocks: more than %zu", w->max);
    stop = memchr(w->at, '\n', (size_t)(w->end - w->at));
    if (!stop || stop == w->at || stop - w->at > BLOCKS_WIRE_LINE_MAX)
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "blocks: line %zu has no end, is empty or is too long",
                        w->count + 1);
    *text = w->at;
    *len = (size_t)(stop - w->at);
    w->at = stop + 1;
    w->count++;
    return ERR_OK;
}
