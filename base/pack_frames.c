#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/pack_frames.h"

enum { LEVEL = 3 };

struct pack_frames {
    ZSTD_CCtx *packer; /* made when first used: most use one of the two */
    ZSTD_DCtx *reader;
};

struct pack_frames *pack_frames_create(void)
{
    return xcalloc(1, sizeof(struct pack_frames));
}

void pack_frames_free(struct pack_frames *p)
{
    if (!p)
        return;
    (void)ZSTD_freeCCtx(p->packer);
    (void)ZSTD_freeDCtx(p->reader);
    free(p);
}

size_t pack_frames_bound(size_t len)
{
    return ZSTD_compressBound(len);
}

static ZSTD_CCtx *make_packer(void)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();

    if (!c)
        abort();
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 1);
    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 0);
    return c;
}

size_t pack_frames_put(struct pack_frames *p, const void *bytes, size_t len, void *out,
                       size_t room)
{
    size_t n;

    if (!p->packer)
        p->packer = make_packer();
    n = ZSTD_compress2(p->packer, out, room, bytes, len);
    if (ZSTD_isError(n))
        abort(); /* it has all the room it can need: only memory can be missing */
    return n;
}

bool pack_frames_get(struct pack_frames *p, const void *frame, size_t len, void *out,
                     size_t raw)
{
    if (!p->reader)
        p->reader = ZSTD_createDCtx();
    if (!p->reader)
        abort();
    /* Decoded in one piece into out, no window is allocated. */
    return ZSTD_findFrameCompressedSize(frame, len) == len &&
           ZSTD_getFrameContentSize(frame, len) == raw &&
           ZSTD_decompressDCtx(p->reader, out, raw, frame, len) == raw;
}

const char *pack_frames_library(void)
{
    return "zstd/" ZSTD_VERSION_STRING;
}
