#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/coinfile.h"
#include "store/coinidx.h"

struct coinfile_writer {
    char *path, *idx_path;
    int fd;
    bool finished;
    struct coinfile_id id;
    uint8_t head[COINHEAD_BYTES];
    struct coinidx_builder *builder;
    uint64_t file_bytes, coin_count;
    uint8_t last_key[COINREC_KEY];
    size_t used;
    uint8_t chunk[COINFILE_CHUNK_MAX];
};

static int create_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

enum errc coinfile_writer_create(const char *path, const char *idx_path,
                                 const struct coinfile_id *id,
                                 struct coinfile_writer **out, struct err *err)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = xcalloc(1, sizeof(*w));
    enum errc rc;

    w->fd = -1;
    rc = coinhead_encode(id, w->head, err);
    if (!rc)
        rc = coinhead_decode(w->head, &w->id, err); /* as a reader will see it */
    if (rc)
        return rc;
    w->fd = create_file(path);
    if (w->fd < 0)
        return err_errno(err, "create %s", path);
    w->path = xstrdup(path);
    w->idx_path = xstrdup(idx_path);
    w->builder = coinidx_builder_create(w->head);
    w->file_bytes = COINHEAD_BYTES;
    (void)unlink(
        idx_path); /* a leftover; a foreign index would not be believed either */
    rc = durable_write(w->fd, w->head, COINHEAD_BYTES, path, err);
    if (rc)
        return rc;
    *out = TAKE(w);
    return ERR_OK;
}

void coinfile_writer_free(struct coinfile_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        (void)close(w->fd);
    if (w->path && !w->finished) {
        (void)unlink(w->path);
        (void)unlink(w->idx_path);
    }
    coinidx_builder_free(w->builder);
    free(w->path);
    free(w->idx_path);
    free(w);
}

static enum errc end_chunk(struct coinfile_writer *w, struct err *err)
{
    uint8_t sha[32];
    enum errc rc;

    if (w->used == 0)
        return ERR_OK;
    hash_sha256(w->chunk, w->used, sha);
    coinidx_builder_chunk(w->builder, sha);
    rc = durable_write(w->fd, w->chunk, w->used, w->path, err);
    w->used = 0;
    return rc;
}

enum errc coinfile_writer_add_record(struct coinfile_writer *w, const uint8_t *rec,
                                     size_t len, struct err *err)
{
    u128 atto = coinrec_atto(rec);
    enum errc rc = coinrec_order(w->coin_count > 0 ? w->last_key : NULL, rec, err);

    if (!rc && w->file_bytes + len > COINFILE_BYTES_MAX)
        rc = err_fail(err, REASON_STATE_BOUNDS, "more coins than a coin file takes");
    if (!rc && !coinidx_builder_fits(w->builder, len))
        rc = end_chunk(w, err);
    if (rc)
        return rc;
    coinidx_builder_record(w->builder, rec, len, atto);
    memcpy(w->chunk + w->used, rec, len);
    w->used += len;
    memcpy(w->last_key, rec, COINREC_KEY);
    w->file_bytes += len;
    w->coin_count++;
    return ERR_OK;
}

enum errc coinfile_writer_add(struct coinfile_writer *w, const struct coin *coin,
                              struct err *err)
{
    uint8_t rec[COINREC_MAX];
    size_t len;
    u128 atto;
    enum errc rc = coinrec_encode(coin, rec, &len, &atto, err);

    return rc ? rc : coinfile_writer_add_record(w, rec, len, err);
}

static enum errc write_index(const struct coinfile_writer *w, const uint8_t *idx,
                             size_t len, struct err *err)
{
    int fd = create_file(w->idx_path);
    enum errc rc;

    if (fd < 0)
        return err_errno(err, "create %s", w->idx_path);
    rc = durable_write(fd, idx, len, w->idx_path, err);
    if (!rc)
        rc = durable_sync(fd, w->idx_path, err);
    (void)close(fd);
    return rc;
}

static void describe(const struct coinfile_writer *w, const struct coinidx *ix,
                     struct coinfile_info *out)
{
    *out = (struct coinfile_info){
        .id = w->id,
        .coin_count = ix->coin_count,
        .total = ix->total,
        .file_bytes = ix->file_bytes,
        .chunk_count = ix->chunk_count,
    };
    coinidx_root(ix, out->state_root);
}

enum errc coinfile_writer_finish(struct coinfile_writer *w, struct coinfile_info *out,
                                 struct err *err)
{
    AUTOFREE uint8_t *idx = NULL;
    struct coinidx ix;
    size_t len;
    enum errc rc = end_chunk(w, err);

    if (rc)
        return rc;
    if (durable_sync(w->fd, w->path, err))
        return err->code;
    idx = coinidx_builder_finish(w->builder, &len);
    if (!coinidx_read(idx, len, w->head, w->file_bytes, &ix))
        return err_fail(err, REASON_INTERNAL, "%s: its index is unsound", w->path);
    rc = write_index(w, idx, len, err);
    if (!rc)
        rc = durable_sync_dir_of(w->path, err);
    if (!rc)
        rc = durable_sync_dir_of(w->idx_path, err);
    if (rc)
        return rc;
    describe(w, &ix, out);
    w->finished = true;
    return ERR_OK;
}
