#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/chunktable.h"
#include "sync/publish/publish_source.h"

struct look {
    struct publish_source *source;
    const struct chunktable *table;
    const atomic_bool *cancel;
    void (*seen)(void *arg, uint64_t bytes, uint64_t of);
    void *arg;
};

static enum errc open_file(struct publish_source *s, struct publish_file *f,
                           const char *name, uint64_t bytes, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/%s", s->dir, name);
    struct stat st;

    f->name = name;
    f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f->fd < 0 || fstat(f->fd, &st) != 0)
        return err_errno(err, "%.150s", path);
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != bytes)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "%.120s is not the file of %" PRIu64
                        " bytes that the manifest names",
                        path, bytes);
    f->bytes = bytes;
    return ERR_OK;
}

static enum errc read_frame(int fd, const struct chunktable_row *row, uint8_t *bytes,
                            struct err *err)
{
    uint8_t hash[32];
    uint32_t done = 0;

    while (done < row->frame_bytes) {
        ssize_t n = pread(fd, bytes + done, row->frame_bytes - done,
                          (off_t)(row->frame_offset + done));

        if (n < 0)
            return err_errno(err, "the frames");
        if (n == 0)
            return err_fail(err, REASON_SOURCE_CHANGED, "the frames became shorter");
        done += (uint32_t)n;
    }
    hash_sha256(bytes, row->frame_bytes, hash);
    if (memcmp(hash, row->frame_sha256, sizeof(hash)) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "the frame at %" PRIu64 " is not the one of the table",
                        row->frame_offset);
    return ERR_OK;
}

static enum errc prove_frames(const struct look *l, struct err *err)
{
    CLEANUP(hasher_free) struct hasher *whole = hasher_create();
    AUTOFREE uint8_t *bytes = xcalloc(1, CHUNKTABLE_FRAME_MAX);
    struct publish_file *f = &l->source->files[1];

    for (uint32_t i = 0; i < chunktable_count(l->table); i++) {
        struct chunktable_row row;

        if (l->cancel && atomic_load_explicit(l->cancel, memory_order_relaxed))
            return err_set(err, ERR_CANCELED, "the publication was cancelled");
        chunktable_row(l->table, i, &row);
        if (read_frame(f->fd, &row, bytes, err) != ERR_OK)
            return err->code;
        hasher_add(whole, bytes, row.frame_bytes);
        if (l->seen)
            l->seen(l->arg, row.frame_offset + row.frame_bytes, f->bytes);
    }
    hasher_finish(whole, f->sha256);
    return ERR_OK;
}

static enum errc prove(struct look *l, struct err *err)
{
    struct publish_source *s = l->source;
    struct chunktable_want want = manifest_table(s->manifest);
    AUTOFREE char *path = xasprintf("%s/chunks.bin", s->dir);
    CLEANUP(chunktable_free) struct chunktable *table = NULL;

    if (chunktable_open(path, &want, &table, err) != ERR_OK)
        return err->code;
    memcpy(s->files[0].sha256, want.sha256, sizeof(want.sha256));
    if (open_file(s, &s->files[0], "chunks.bin", chunktable_bytes(want.chunks), err) !=
            ERR_OK ||
        open_file(s, &s->files[1], "base.coins.zst", want.frames_bytes, err) != ERR_OK)
        return err->code;
    l->table = table;
    return prove_frames(l, err);
}

enum errc publish_source_open(const char *dir, const atomic_bool *cancel,
                              void (*seen)(void *arg, uint64_t bytes, uint64_t of),
                              void *arg, struct publish_source **out, struct err *err)
{
    CLEANUP(publish_source_free) struct publish_source *s = xcalloc(1, sizeof(*s));
    AUTOFREE char *path = xasprintf("%s/manifest.json", dir);
    struct look l = {.source = s, .cancel = cancel, .seen = seen, .arg = arg};

    s->files[0].fd = s->files[1].fd = -1;
    s->dir = xstrdup(dir);
    if (manifest_read(path, &s->manifest, err) != ERR_OK || prove(&l, err) != ERR_OK)
        return err->code;
    manifest_id(s->manifest, s->id);
    *out = TAKE(s);
    return ERR_OK;
}

void publish_source_free(struct publish_source *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < PUBLISH_SOURCE_FILES; i++)
        if (s->files[i].fd >= 0)
            (void)close(s->files[i].fd);
    manifest_free(s->manifest);
    free(s->dir);
    free(s);
}
