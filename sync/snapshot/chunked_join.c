#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "sync/snapshot/chunked.h"

enum { NAME_MAX_TEXT = 32, PACKED_MAX = CHUNKED_CHUNK_MAX + (1 << 16) };

static enum errc read_all(int fd, size_t len, struct buf *out)
{
    char piece[16 << 10];
    ssize_t n;

    while (out->len < len && (n = read(fd, piece, sizeof(piece))) > 0)
        buf_put(out, piece, (size_t)n);
    return out->full || out->len != len ? ERR_NET : ERR_OK;
}

/* A regular file of the directory, at most out->max bytes. */
static enum errc read_file(int dir, const char *name, struct buf *out, struct err *err)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    enum errc rc = ERR_NET;

    buf_reset(out);
    if (fd < 0)
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "%s: %s", name,
                        strerrordesc_np(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size <= out->max)
        rc = read_all(fd, (size_t)st.st_size, out);
    (void)close(fd);
    return rc ? err_fail(err, REASON_SOURCE_UNREACHABLE,
                         "%s: no file that fits, or it changed", name)
              : ERR_OK;
}

struct join {
    int dir, out;
    const char *path;
    struct chunked_meta meta;
    struct buf text, packed, raw;
};

static enum errc join_chunk(struct join *j, uint32_t i, struct err *err)
{
    char name[NAME_MAX_TEXT];
    struct chunked_chunk chunk;

    (void)snprintf(name, sizeof(name), "chunk_%06u.json", i);
    if (read_file(j->dir, name, &j->text, err) ||
        chunked_checksum_parse(j->text.data, j->text.len, i, chunk.checksum, err))
        return err->code;
    (void)snprintf(name, sizeof(name), "chunk_%06u.bin", i);
    if (read_file(j->dir, name, &j->packed, err))
        return err->code;
    buf_reset(&j->raw);
    chunk.bytes = j->packed.data;
    chunk.len = j->packed.len;
    if (chunked_open(&j->meta, i, &chunk, &j->raw, err))
        return err->code;
    return durable_write(j->out, j->raw.data, j->raw.len, j->path, err);
}

static enum errc read_meta(struct join *j, uint64_t max_bytes, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(CHUNKED_META_MAX);

    if (read_file(j->dir, "metadata.json", &text, err) ||
        chunked_meta_parse(text.data, text.len, &j->meta, err))
        return err->code;
    if (j->meta.total_size > max_bytes)
        return err_fail(err, REASON_PAYLOAD_TOO_LARGE, "its chunks have %llu bytes",
                        (unsigned long long)j->meta.total_size);
    return ERR_OK;
}

static enum errc join_all(struct join *j, uint64_t max_bytes, const atomic_bool *cancel,
                          struct err *err)
{
    enum errc rc = read_meta(j, max_bytes, err);

    for (uint32_t i = 0; !rc && i < j->meta.chunks; i++) {
        if (cancel && atomic_load(cancel))
            return err_fail(err, REASON_CANCELLED, "cancelled");
        rc = join_chunk(j, i, err);
    }
    return rc ? rc : durable_sync(j->out, j->path, err);
}

bool chunked_is_dir(const char *dir)
{
    AUTOFREE char *name = xasprintf("%s/metadata.json", dir);

    return access(name, R_OK) == 0;
}

enum errc chunked_join(const char *dir, const char *path, uint64_t max_bytes,
                       const atomic_bool *cancel, struct err *err)
{
    struct join j = {.path = path,
                     .text = BUF(4096),
                     .packed = BUF(PACKED_MAX),
                     .raw = BUF(CHUNKED_CHUNK_MAX)};
    enum errc rc;

    j.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j.dir < 0)
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "%.150s: %s", dir,
                        strerrordesc_np(errno));
    j.out = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    rc = j.out < 0 ? err_errno(err, "%.150s", path)
                   : join_all(&j, max_bytes, cancel, err);
    if (j.out >= 0)
        (void)close(j.out); /* synced, or of no use */
    (void)close(j.dir);
    buf_fini(&j.text);
    buf_fini(&j.packed);
    buf_fini(&j.raw);
    return rc;
}
