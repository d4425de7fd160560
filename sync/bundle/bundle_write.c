#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/mem.h"
#include "sync/bundle/bundle.h"
#include "sync/bundle/bundle_body.h"
#include "sync/bundle/bundle_chain.h"
#include "sync/bundle/bundle_part.h"
#include "sync/snapshot/snapdir.h"

struct writer {
    const struct bundle_source *from;
    _Atomic uint64_t *done;
    struct manifest *manifest;
    char *part;
    int fd, table_fd, frames_fd;
    struct hasher *hasher;
    struct bundle_chain chain;
    struct headers_wire wire;
    struct header room[BUNDLE_BATCH];
    bool finished;
};

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void writer_free(struct writer *w)
{
    close_fd(w->fd);
    close_fd(w->table_fd);
    close_fd(w->frames_fd);
    if (w->part && !w->finished)
        (void)unlink(w->part);
    hasher_free(w->hasher);
    manifest_free(w->manifest);
    free(w->part);
    free(w);
}
DEFINE_CLEANUP(struct writer, writer_free)

static enum errc put(struct writer *w, const void *bytes, size_t len, struct err *err)
{
    hasher_add(w->hasher, bytes, len);
    atomic_fetch_add(w->done, len);
    return durable_write(w->fd, bytes, len, w->part, err);
}

static enum errc put_part(struct writer *w, const struct buf *b, struct err *err)
{
    uint8_t le[BUNDLE_PART_LENGTH];

    bundle_part_put_length(b->len, le);
    return put(w, le, sizeof(le), err) ? err->code : put(w, b->data, b->len, err);
}

static enum errc put_manifest(struct writer *w, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);

    manifest_write(w->manifest, &text);
    return put(w, BUNDLE_MAGIC, BUNDLE_MAGIC_LEN, err) ? err->code
                                                       : put_part(w, &text, err);
}

static enum errc put_batch(struct writer *w, uint64_t from, size_t count,
                           struct err *err)
{
    CLEANUP_BUF struct buf out = BUF(HEADERS_WIRE_BYTES_MAX);

    if (w->from->headers(w->from->arg, from, count, w->room, err))
        return err->code;
    headers_wire_begin(&w->wire, from, &out);
    for (size_t i = 0; i < count; i++)
        if (bundle_chain_take(&w->chain, &w->room[i], err) ||
            headers_wire_add(&w->wire, &w->room[i], &out, err))
            return err->code;
    headers_wire_end(&w->wire, &out);
    return put_part(w, &out, err);
}

static enum errc put_headers(struct writer *w, struct err *err)
{
    uint64_t all = w->manifest->height + 1;
    uint8_t hash[32];

    for (uint64_t from = 0; from < all; from += BUNDLE_BATCH) {
        uint64_t left = all - from;

        if (put_batch(w, from, left < BUNDLE_BATCH ? (size_t)left : BUNDLE_BATCH, err))
            return err->code;
    }
    if (bundle_chain_end(&w->chain, w->manifest, err))
        return err->code;
    hasher_finish(w->hasher, hash);
    return durable_write(w->fd, hash, sizeof(hash), w->part, err);
}

static enum errc put_body(struct writer *w, struct err *err)
{
    struct bundle_place from = {
        .table_fd = w->table_fd, .frames_fd = w->frames_fd, .name = w->from->dir};
    struct bundle_place to = {.table_fd = w->fd, .frames_fd = w->fd, .name = w->part};

    return bundle_body_pass(w->manifest, &from, &to, w->done, err);
}

static enum errc open_one(const char *dir, const char *name, int *fd, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/%s", dir, name);

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? err_errno(err, "open %s", path) : ERR_OK;
}

static enum errc open_source(struct writer *w, struct err *err)
{
    const char *dir = w->from->dir;
    AUTOFREE char *path = xasprintf("%s/%s", dir, SNAPDIR_MANIFEST);

    if (manifest_read(path, &w->manifest, err) ||
        manifest_check_signatures(w->manifest, err) ||
        bundle_chain_begin(&w->chain, w->from->params, w->manifest, err) ||
        open_one(dir, SNAPDIR_TABLE, &w->table_fd, err))
        return err->code;
    return open_one(dir, SNAPDIR_FRAMES, &w->frames_fd, err);
}

static enum errc open_target(struct writer *w, const char *path, struct err *err)
{
    struct stat st;

    if (lstat(path, &st) == 0)
        return err_set(err, ERR_CONFLICT, "%s is there already", path);
    w->part = xasprintf("%s.part", path);
    (void)unlink(w->part); /* of a run that was killed */
    w->fd = open(w->part, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    return w->fd < 0 ? err_errno(err, "create %s", w->part) : ERR_OK;
}

enum errc bundle_write(const struct bundle_source *from, const char *path,
                       _Atomic uint64_t *done, struct err *err)
{
    CLEANUP(writer_free) struct writer *w = xcalloc(1, sizeof(*w));

    w->from = from;
    w->done = done;
    w->fd = w->table_fd = w->frames_fd = -1;
    w->hasher = hasher_create();
    if (open_source(w, err) || open_target(w, path, err) || put_manifest(w, err) ||
        put_headers(w, err) || put_body(w, err) || durable_sync(w->fd, w->part, err) ||
        durable_rename(w->part, path, err))
        return err->code;
    w->finished = true;
    return ERR_OK;
}
