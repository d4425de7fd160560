#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/coinfile.h"
#include "store/coinhead.h"
#include "store/coinroot.h"
#include "store/frame.h"
#include "store/framewriter.h"

struct framewriter {
    char *frames_path, *table_path;
    int frames_fd, table_fd;
    struct frame *frame;
    struct hasher *table_hash;
    struct chunktable_want sums; /* so far */
    uint8_t *leaves;             /* of the state root */
    size_t leaf_room;
    bool any;
    uint8_t last_key[COINREC_KEY];
    size_t used;
    uint8_t chunk[COINFILE_CHUNK_MAX], packed[CHUNKTABLE_FRAME_MAX];
    struct coinpart part;
};

static enum errc create_file(const char *path, int *fd, struct err *err)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *fd < 0 ? err_errno(err, "create %s", path) : ERR_OK;
}

static enum errc put_table(struct framewriter *w, const uint8_t *bytes, size_t len,
                           struct err *err)
{
    hasher_add(w->table_hash, bytes, len);
    return durable_write(w->table_fd, bytes, len, w->table_path, err);
}

enum errc framewriter_create(const char *frames_path, const char *table_path,
                             struct framewriter **out, struct err *err)
{
    CLEANUP(framewriter_free) struct framewriter *w = xcalloc(1, sizeof(*w));
    uint8_t head[CHUNKTABLE_HEAD];

    w->frames_fd = w->table_fd = -1;
    w->frames_path = xstrdup(frames_path);
    w->table_path = xstrdup(table_path);
    w->frame = frame_create();
    w->table_hash = hasher_create();
    w->sums.bytes = COINHEAD_BYTES;
    chunktable_head_write(head);
    if (create_file(frames_path, &w->frames_fd, err) ||
        create_file(table_path, &w->table_fd, err) ||
        put_table(w, head, sizeof(head), err))
        return err->code;
    *out = TAKE(w);
    return ERR_OK;
}

void framewriter_free(struct framewriter *w)
{
    if (!w)
        return;
    if (w->frames_fd >= 0)
        (void)close(w->frames_fd);
    if (w->table_fd >= 0)
        (void)close(w->table_fd);
    frame_free(w->frame);
    hasher_free(w->table_hash);
    free(w->leaves);
    free(w->frames_path);
    free(w->table_path);
    free(w);
}

static void add_leaf(struct framewriter *w, const uint8_t sha[32])
{
    if (w->sums.chunks == w->leaf_room) {
        w->leaf_room = w->leaf_room ? 2 * w->leaf_room : 1024;
        w->leaves = xrealloc(w->leaves, w->leaf_room * 32);
    }
    memcpy(w->leaves + (size_t)w->sums.chunks * 32, sha, 32);
    w->sums.chunks++;
}

static enum errc end_chunk(struct framewriter *w, struct err *err)
{
    uint8_t row_bytes[CHUNKTABLE_ROW];
    struct chunktable_row row;
    enum errc rc;

    if (w->used == 0)
        return ERR_OK;
    rc = coinpart_read(w->chunk, w->used, w->sums.bytes, &w->part, err);
    if (rc)
        return rc;
    frame_seal(w->frame, w->chunk, &w->part, w->packed, &row);
    chunktable_row_write(&row, row_bytes);
    rc = durable_write(w->frames_fd, w->packed, row.frame_bytes, w->frames_path, err);
    if (!rc)
        rc = put_table(w, row_bytes, sizeof(row_bytes), err);
    add_leaf(w, row.raw_sha256);
    w->sums.bytes += row.raw_bytes;
    w->sums.frames_bytes += row.frame_bytes;
    w->sums.coins += row.coins;
    w->sums.total += w->part.total;
    w->used = 0;
    return rc;
}

enum errc framewriter_add(struct framewriter *w, const uint8_t *rec, size_t len,
                          struct err *err)
{
    enum errc rc = coinrec_order(w->any ? w->last_key : NULL, rec, err);

    if (!rc && w->sums.bytes + w->used + len > COINFILE_BYTES_MAX)
        rc = err_fail(err, REASON_STATE_BOUNDS, "more coins than a coin file takes");
    if (!rc && w->used + len > sizeof(w->chunk)) /* the chunk rule */
        rc = end_chunk(w, err);
    if (rc)
        return rc;
    memcpy(w->chunk + w->used, rec, len);
    w->used += len;
    memcpy(w->last_key, rec, COINREC_KEY);
    w->any = true;
    return ERR_OK;
}

enum errc framewriter_finish(struct framewriter *w, struct chunktable_want *out,
                             struct err *err)
{
    enum errc rc = end_chunk(w, err);

    if (!rc)
        rc = durable_sync(w->frames_fd, w->frames_path, err);
    if (!rc)
        rc = durable_sync(w->table_fd, w->table_path, err);
    if (rc)
        return rc;
    hasher_finish(w->table_hash, w->sums.sha256);
    coinroot_compute(w->leaves, w->sums.chunks, w->sums.coins, w->sums.total,
                     w->sums.state_root);
    *out = w->sums;
    return ERR_OK;
}
