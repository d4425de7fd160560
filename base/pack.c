#define ZLIB_CONST /* what is compressed is only read */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/pack.h"

enum {
    ZSTD_LEVEL = 3,
    WINDOW_LOG_MAX = 23, /* RFC 8878, 3.1.1.1.2: what every decoder should take */
    GZIP_LEVEL = 6,
    GZIP_BITS = 15 + 16, /* zlib.h: gzip's framing around a window of 32 KiB */
    PIECE = 64 << 10,
};

static void free_compressor(ZSTD_CCtx *c)
{
    (void)ZSTD_freeCCtx(c);
}
DEFINE_CLEANUP(ZSTD_CCtx, free_compressor)

static void free_reader(ZSTD_DCtx *d)
{
    (void)ZSTD_freeDCtx(d);
}
DEFINE_CLEANUP(ZSTD_DCtx, free_reader)

void pack_zstd(const void *bytes, size_t len, struct buf *out)
{
    CLEANUP(free_compressor) ZSTD_CCtx *c = ZSTD_createCCtx();
    size_t room = ZSTD_compressBound(len), n;
    AUTOFREE char *packed = xcalloc(room, 1);

    if (!c)
        abort();
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    n = ZSTD_compress2(c, packed, room, bytes, len);
    if (ZSTD_isError(n))
        abort(); /* it has all the room it can need: only memory can be missing */
    buf_put(out, packed, n);
}

void pack_gzip(const void *bytes, size_t len, struct buf *out)
{
    z_stream z = {0};
    AUTOFREE Bytef *packed = NULL;
    size_t room;

    if (len > UINT_MAX / 2) {
        out->full = true;
        return;
    }
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        abort();
    room = deflateBound(&z, len);
    packed = xcalloc(room, 1);
    z.next_in = bytes;
    z.avail_in = (uInt)len;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    buf_put(out, packed, z.total_out);
    (void)deflateEnd(&z);
}

bool pack_is_zstd(const void *bytes, size_t len)
{
    static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

    return len >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

enum errc pack_unzstd(const void *bytes, size_t len, struct buf *out, struct err *err)
{
    CLEANUP(free_reader) ZSTD_DCtx *d = ZSTD_createDCtx();
    AUTOFREE char *piece = xcalloc(PIECE, 1);
    ZSTD_inBuffer in = {bytes, len, 0};
    size_t left = 1;

    if (!d)
        abort();
    (void)ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    while (left != 0) {
        ZSTD_outBuffer to = {piece, PIECE, 0};
        size_t before = in.pos;

        left = ZSTD_decompressStream(d, &to, &in);
        if (ZSTD_isError(left))
            return err_fail(err, REASON_PEER_BAD_ANSWER, "zstd: %s",
                            ZSTD_getErrorName(left));
        buf_put(out, piece, to.pos);
        if (out->full)
            return err_fail(err, REASON_PEER_BAD_ANSWER, "zstd: over %zu bytes",
                            out->max);
        if (left != 0 && to.pos == 0 && in.pos == before)
            return err_fail(err, REASON_PEER_BAD_ANSWER, "zstd: cut off");
    }
    if (in.pos != len)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "zstd: bytes after the frame");
    return ERR_OK;
}

static enum errc gunzip_error(const char *what, struct err *err)
{
    return err_fail(err, REASON_PEER_BAD_ANSWER, "gzip: %s", what);
}

static enum errc gunzip_all(z_stream *z, struct buf *out, struct err *err)
{
    AUTOFREE Bytef *piece = xcalloc(PIECE, 1);
    int rc = Z_OK;

    while (rc != Z_STREAM_END) {
        z->next_out = piece;
        z->avail_out = PIECE;
        rc = inflate(z, Z_NO_FLUSH);
        if (rc == Z_BUF_ERROR)
            return gunzip_error("cut off", err);
        if (rc != Z_OK && rc != Z_STREAM_END)
            return gunzip_error("damaged", err);
        buf_put(out, piece, PIECE - z->avail_out);
        if (out->full)
            return err_fail(err, REASON_PEER_BAD_ANSWER, "gzip: over %zu bytes",
                            out->max);
    }
    return z->avail_in == 0 ? ERR_OK : gunzip_error("bytes after the member", err);
}

enum errc pack_gunzip(const void *bytes, size_t len, struct buf *out, struct err *err)
{
    z_stream z = {0};
    enum errc rc;

    if (len > UINT_MAX)
        return gunzip_error("too long", err);
    if (inflateInit2(&z, GZIP_BITS) != Z_OK)
        abort();
    z.next_in = bytes;
    z.avail_in = (uInt)len;
    rc = gunzip_all(&z, out, err);
    (void)inflateEnd(&z);
    return rc;
}
