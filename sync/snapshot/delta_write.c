#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/pack_frames.h"
#include "sync/snapshot/delta_layout.h"

struct delta_writer {
    char *path;
    int fd;
    struct delta_head head;
    struct pack_frames *pack;
    uint8_t *raw, *frame;
    size_t len; /* of raw */
    struct buf table;
};

void delta_writer_free(struct delta_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0) {
        (void)close(w->fd);
        (void)unlink(w->path);
    }
    pack_frames_free(w->pack);
    buf_fini(&w->table);
    free(w->path);
    free(w->raw);
    free(w->frame);
    free(w);
}

static enum errc write_manifest(struct delta_writer *w, const struct manifest *to,
                                struct err *err)
{
    static const uint8_t room[DELTA_HEAD];
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);

    manifest_write(to, &text);
    w->head.manifest_bytes = (uint32_t)text.len;
    hash_sha256(text.data, text.len, w->head.manifest_sha256);
    manifest_digest(to, w->head.info.to_digest);
    memcpy(w->head.info.to_root, to->state_root, 32);
    if (durable_write(w->fd, room, sizeof(room), w->path, err))
        return err->code;
    return durable_write(w->fd, text.data, text.len, w->path, err);
}

enum errc delta_writer_create(const char *path, const struct manifest *to,
                              struct delta_writer **out, struct err *err)
{
    CLEANUP(delta_writer_free) struct delta_writer *w = xcalloc(1, sizeof(*w));

    w->path = xstrdup(path);
    w->pack = pack_frames_create();
    w->raw = xcalloc(DELTA_RAW_MAX, 1);
    w->frame = xcalloc(pack_frames_bound(DELTA_RAW_MAX), 1);
    w->table = BUF((size_t)DELTA_FRAMES_MAX * DELTA_ROW);
    w->fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (w->fd < 0)
        return err_errno(err, "%.150s", path);
    if (write_manifest(w, to, err))
        return err->code;
    *out = TAKE(w);
    return ERR_OK;
}

static enum errc end_frame(struct delta_writer *w, struct err *err)
{
    struct delta_row row = {.raw_bytes = (uint32_t)w->len};
    uint8_t bytes[DELTA_ROW];

    if (w->len == 0)
        return ERR_OK;
    if (w->head.info.frames == DELTA_FRAMES_MAX)
        return err_fail(err, REASON_STATE_BOUNDS, "the delta is too large");
    row.frame_bytes = (uint32_t)pack_frames_put(w->pack, w->raw, w->len, w->frame,
                                                pack_frames_bound(DELTA_RAW_MAX));
    hash_sha256(w->frame, row.frame_bytes, row.sha256);
    delta_row_write(&row, bytes);
    buf_put(&w->table, bytes, sizeof(bytes));
    w->head.info.frames++;
    w->head.frames_bytes += row.frame_bytes;
    w->len = 0;
    return durable_write(w->fd, w->frame, row.frame_bytes, w->path, err);
}

/* A frame ends before the item that would take it past DELTA_RAW_MAX. */
enum errc delta_writer_add(struct delta_writer *w, bool removed, const uint8_t *rec,
                           size_t len, struct err *err)
{
    if (w->len + 1 + len > DELTA_RAW_MAX && end_frame(w, err))
        return err->code;
    w->raw[w->len++] = removed ? DELTA_REMOVED : DELTA_ADDED;
    memcpy(w->raw + w->len, rec, len);
    w->len += len;
    w->head.info.removed += removed;
    w->head.info.added += !removed;
    return ERR_OK;
}

static enum errc write_head(struct delta_writer *w, struct err *err)
{
    uint8_t bytes[DELTA_HEAD];

    delta_head_write(&w->head, bytes);
    if (pwrite(w->fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return err_errno(err, "%.150s", w->path);
    return durable_sync(w->fd, w->path, err);
}

enum errc delta_writer_finish(struct delta_writer *w, const struct manifest *from,
                              struct delta_info *out, struct err *err)
{
    manifest_digest(from, w->head.info.from_digest);
    memcpy(w->head.info.from_root, from->state_root, 32);
    if (end_frame(w, err) ||
        durable_write(w->fd, w->table.data, w->table.len, w->path, err))
        return err->code;
    hash_sha256(w->table.data, w->table.len, w->head.table_sha256);
    if (write_head(w, err))
        return err->code;
    (void)close(w->fd); /* synced */
    w->fd = -1;
    *out = w->head.info;
    out->bytes = delta_head_file(&w->head);
    return ERR_OK;
}
