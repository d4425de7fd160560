#define ZLIB_CONST /* what comes in is only read */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/inflate.h"
#include "base/mem.h"

enum { PIECE = 64 << 10 };

struct inflater {
    z_stream z;
    struct inflater_sink sink;
    uint64_t left;
    bool ended;
    Bytef piece[PIECE];
};

struct inflater *inflater_create(uint64_t max, const struct inflater_sink *sink)
{
    struct inflater *i = xcalloc(1, sizeof(*i));

    i->sink = *sink;
    i->left = max;
    if (inflateInit(&i->z) != Z_OK)
        abort();
    return i;
}

void inflater_free(struct inflater *i)
{
    if (!i)
        return;
    (void)inflateEnd(&i->z);
    free(i);
}

static enum errc malformed(struct err *err, const char *what)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "compressed data: %s", what);
}

/* What zlib gives for the bytes at hand, a piece. */
static enum errc step(struct inflater *i, struct err *err)
{
    size_t n;
    int rc;

    i->z.next_out = i->piece;
    i->z.avail_out = PIECE;
    rc = inflate(&i->z, Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return malformed(err, "damaged");
    i->ended = rc == Z_STREAM_END;
    n = PIECE - i->z.avail_out;
    if (n > i->left)
        return err_fail(err, REASON_PAYLOAD_TOO_LARGE,
                        "compressed data: it does not end in time");
    i->left -= n;
    return n > 0 ? i->sink.put(i->sink.arg, i->piece, n, err) : ERR_OK;
}

enum errc inflater_put(struct inflater *i, const void *bytes, size_t len,
                       struct err *err)
{
    enum errc rc = ERR_OK;

    if (len > UINT32_MAX)
        return malformed(err, "too much at once");
    i->z.next_in = bytes;
    i->z.avail_in = (uInt)len;
    do {
        if (i->ended)
            return len > 0 ? malformed(err, "bytes after its end") : ERR_OK;
        rc = step(i, err);
    } while (!rc && (i->z.avail_in > 0 || i->z.avail_out == 0) &&
             !(i->ended && i->z.avail_in == 0));
    return rc;
}

enum errc inflater_finish(const struct inflater *i, struct err *err)
{
    return i->ended ? ERR_OK : malformed(err, "cut off");
}
