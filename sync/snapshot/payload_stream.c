#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/snapshot/payload_lane.h"

enum { PIECE = 256 << 10, KEPT_MAX = 1 << 10 }; /* what the lane leaves */

static enum errc too_large(const struct payload_source *src, struct err *err)
{
    return err_fail(err, REASON_PAYLOAD_TOO_LARGE, "over %llu bytes",
                    (unsigned long long)src->max_bytes);
}

/* O_NONBLOCK: a pipe in the file's place must not hold us up. */
static enum errc open_source(const struct payload_source *src, int *fd, struct err *err)
{
    struct stat st;

    *fd = open(src->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return err_errno(err, "open %s", src->path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "%s: not a regular file", src->path);
    if ((uint64_t)st.st_size > src->max_bytes)
        return too_large(src, err);
    return ERR_OK;
}

static enum errc read_piece(int fd, const struct payload_source *src, char *piece,
                            size_t *len, struct err *err)
{
    ssize_t n;

    do
        n = read(fd, piece, PIECE);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(err, "read %s", src->path);
    *len = (size_t)n;
    return ERR_OK;
}

static enum errc feed(const struct payload_source *src, struct payload_parser *p,
                      const struct payload_text *t, size_t *used, struct err *err)
{
    enum errc rc;

    if (src->lane)
        return payload_lane_feed(src->lane, p, t, used, err);
    rc = payload_parser_feed(p, t->text, t->len, err);
    *used = t->len;
    return rc;
}

struct pump {
    int fd;
    char *piece;
    size_t kept; /* at its front, from before */
    uint64_t bytes;
    bool last;
};

static enum errc pump_piece(struct pump *m, const struct payload_source *src,
                            struct payload_parser *p, struct err *err)
{
    struct payload_text t = {.text = m->piece};
    size_t len = 0, used;
    enum errc rc = read_piece(m->fd, src, m->piece + m->kept, &len, err);

    m->bytes += len;
    if (!rc && m->bytes > src->max_bytes)
        rc = too_large(src, err);
    if (rc)
        return rc;
    t.len = m->kept + len;
    t.last = m->last = len == 0;
    rc = feed(src, p, &t, &used, err);
    if (rc)
        return rc;
    m->kept = t.len - used;
    memmove(m->piece, m->piece + used, m->kept);
    return ERR_OK;
}

static enum errc pump(int fd, const struct payload_source *src,
                      struct payload_parser *p, uint64_t *bytes, struct err *err)
{
    AUTOFREE char *piece = xcalloc(1, PIECE + KEPT_MAX);
    struct pump m = {.fd = fd, .piece = piece};
    enum errc rc = ERR_OK;

    while (!rc && !m.last) {
        if (src->progress && atomic_load(&src->progress->cancel))
            return err_fail(err, REASON_CANCELLED, "cancelled");
        rc = pump_piece(&m, src, p, err);
        if (!rc && src->progress)
            atomic_store(&src->progress->bytes_done, m.bytes);
    }
    *bytes = m.bytes;
    return rc ? rc : payload_parser_finish(p, err);
}

enum errc payload_stream(const struct payload_source *src,
                         const struct payload_sink *sink, uint64_t *bytes,
                         struct err *err)
{
    CLEANUP(payload_parser_free) struct payload_parser *p = payload_parser_create(sink);
    int fd;
    enum errc rc = open_source(src, &fd, err);

    if (!rc)
        rc = pump(fd, src, p, bytes, err);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}
