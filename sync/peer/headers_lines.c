#include <string.h>

#include "base/json.h"
#include "sync/peer/headers_layout.h"

/* Eleven members of known length, and two texts that may be all escapes. */
static const struct json_limits line_limits = {
    .max_bytes = 4096, .max_nodes = 32, .max_depth = 2};

static enum errc bad(uint64_t height, const char *what, struct err *err)
{
    return err_fail(err, REASON_PEER_BAD_ANSWER, "header %llu: %.180s",
                    (unsigned long long)height, what);
}

static enum errc read_line(const char *line, size_t len, uint64_t height,
                           struct header *out, struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;

    if (len > line_limits.max_bytes)
        return bad(height, "a line too long for one", err);
    if (json_parse(line, len, &line_limits, &doc, err) != ERR_OK ||
        header_parse(json_root(doc), out, err) != ERR_OK) {
        const struct err cause = *err;

        return bad(height, cause.msg, err);
    }
    if (out->height != height)
        return bad(height, "another one stands in its place", err);
    return ERR_OK;
}

enum errc headers_lines_read(const char *text, size_t len,
                             struct headers_wire_batch *batch, struct err *err)
{
    const char *end = text + len;
    struct header *h = batch->room;
    size_t n = 0;

    for (; text < end; n++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        uint64_t height = batch->from + n;

        if (!stop)
            return bad(height, "cut off", err);
        if (n == batch->max)
            return bad(height, "more than were asked for", err);
        if (read_line(text, (size_t)(stop - text), height, &h[n], err) != ERR_OK)
            return err->code;
        if (n > 0 && memcmp(h[n].prev, h[n - 1].hash, sizeof(h[n].prev)) != 0)
            return bad(height, "not on the one before it", err);
        text = stop + 1;
    }
    batch->count = n;
    return ERR_OK;
}
