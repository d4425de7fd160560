#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "store/coinfile.h"
#include "store/frame.h"
#include "sync/bundle/bundle_body.h"

enum errc bundle_body_read(int fd, uint64_t at, void *out, size_t len, const char *name,
                           struct err *err)
{
    char *p = out;

    while (len > 0) {
        ssize_t n = pread(fd, p, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "read %s", name);
        if (n == 0)
            return err_fail(err, REASON_PAYLOAD_MALFORMED, "%s: cut off", name);
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return ERR_OK;
}

struct map { /* of the table: up to 112 MiB, which are the file's own pages */
    void *pages;
    size_t len;
    const uint8_t *bytes;
};

static void unmap(struct map *m)
{
    if (m->pages)
        (void)munmap(m->pages, m->len);
}
#define UNMAP __attribute__((cleanup(unmap)))

static enum errc map_table(const struct bundle_place *from, size_t len, struct map *out,
                           struct err *err)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), skip = from->table_at % page;
    uint8_t last;
    void *pages;

    /* a mapped byte that is not there would end the process */
    if (bundle_body_read(from->table_fd, from->table_at + len - 1, &last, 1, from->name,
                         err))
        return err->code;
    pages = mmap(NULL, len + skip, PROT_READ, MAP_SHARED, from->table_fd,
                 (off_t)(from->table_at - skip));
    if (pages == MAP_FAILED)
        return err_errno(err, "map %s", from->name);
    *out = (struct map){pages, len + skip, (const uint8_t *)pages + skip};
    return ERR_OK;
}

struct pass {
    const struct manifest *manifest;
    const struct bundle_place *from, *to;
    _Atomic uint64_t *done;
    const struct chunktable *table;
    struct frame *frame;
    uint8_t packed[CHUNKTABLE_FRAME_MAX], raw[COINFILE_CHUNK_MAX];
    struct coinpart part;
};

static void pass_free(struct pass *p)
{
    frame_free(p->frame);
    free(p);
}
DEFINE_CLEANUP(struct pass, pass_free)

static enum errc take_frame(struct pass *p, const struct chunktable_row *row,
                            struct err *err)
{
    if (bundle_body_read(p->from->frames_fd, p->from->frames_at + row->frame_offset,
                         p->packed, row->frame_bytes, p->from->name, err) ||
        frame_open(p->frame, row, p->packed, p->raw, &p->part, err))
        return err->code;
    if (p->to &&
        durable_write(p->to->frames_fd, p->packed, row->frame_bytes, p->to->name, err))
        return err->code;
    atomic_fetch_add(p->done, row->frame_bytes);
    return ERR_OK;
}

/* The rules across chunks are those of snapdir_verify. */
static enum errc take_frames(struct pass *p, struct err *err)
{
    uint64_t before = COINFILE_CHUNK_MAX;
    u128 total = 0;

    for (uint32_t i = 0; i < chunktable_count(p->table); i++) {
        struct chunktable_row row;

        chunktable_row(p->table, i, &row);
        if (take_frame(p, &row, err))
            return err_wrap(err, "chunk %u", i);
        if (before + p->part.first_len <= COINFILE_CHUNK_MAX)
            return err_fail(err, REASON_PAYLOAD_MALFORMED,
                            "chunk %u has room for the first coin of the next", i - 1);
        before = p->part.bytes;
        total += p->part.total;
    }
    if (total != p->manifest->total)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "the coins do not add up to the manifest's total");
    return ERR_OK;
}

enum errc bundle_body_pass(const struct manifest *m, const struct bundle_place *from,
                           const struct bundle_place *to, _Atomic uint64_t *done,
                           struct err *err)
{
    CLEANUP(pass_free) struct pass *p = xcalloc(1, sizeof(*p));
    CLEANUP(chunktable_free) struct chunktable *table = NULL;
    const struct chunktable_want want = manifest_table(m);
    size_t len = chunktable_bytes(m->chunk_count);
    UNMAP struct map map = {.pages = NULL};

    p->manifest = m;
    p->from = from;
    p->to = to;
    p->done = done;
    p->frame = frame_create();
    if (map_table(from, len, &map, err) ||
        chunktable_read(map.bytes, len, &want, &table, err) ||
        (to && durable_write(to->table_fd, map.bytes, len, to->name, err)))
        return err->code;
    atomic_fetch_add(done, len);
    p->table = table;
    return take_frames(p, err);
}
