#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "sync/peer/sink.h"

void sink_open_memory(struct sink *s, uint64_t max)
{
    sink_fini(s);
    s->body = BUF(max < SIZE_MAX / 4 ? (size_t)max : SIZE_MAX / 4);
    s->at = 0;
    s->max = max;
}

static enum errc go_to(struct sink *s, uint64_t offset, struct err *err)
{
    struct stat st;

    if (offset > INT64_MAX || fstat(s->fd, &st) != 0)
        return err_errno(err, "file to fetch into");
    if ((uint64_t)st.st_size < offset)
        return err_fail(err, REASON_STORAGE_FAILED,
                        "the file has %" PRIu64 " bytes, resume at %" PRIu64,
                        (uint64_t)st.st_size, offset);
    if (ftruncate(s->fd, (off_t)offset) != 0 ||
        lseek(s->fd, (off_t)offset, SEEK_SET) != (off_t)offset)
        return err_errno(err, "file to fetch into");
    return ERR_OK;
}

enum errc sink_open_file(struct sink *s, const char *path, uint64_t offset,
                         uint64_t max, struct err *err)
{
    int flags = O_CREAT | O_WRONLY | O_CLOEXEC | (offset == 0 ? O_TRUNC : 0);

    sink_fini(s);
    s->fd = open(path, flags, 0600);
    if (s->fd < 0)
        return err_errno(err, "%.120s", path);
    s->at = offset;
    s->max = max;
    return offset == 0 ? ERR_OK : go_to(s, offset, err);
}

enum errc sink_put(struct sink *s, const void *bytes, size_t len, struct err *err)
{
    if (s->at > s->max || len > s->max - s->at)
        return err_fail(err, REASON_PAYLOAD_TOO_LARGE,
                        "the body is over %" PRIu64 " bytes", s->max);
    if (s->fd >= 0 && durable_write(s->fd, bytes, len, "what was fetched", err))
        return err->code;
    if (s->fd < 0)
        buf_put(&s->body, bytes, len);
    s->at += len;
    return ERR_OK;
}

enum errc sink_finish(struct sink *s, struct err *err)
{
    int fd = s->fd;

    s->fd = -1;
    if (fd < 0)
        return ERR_OK;
    if (durable_sync(fd, "what was fetched", err)) {
        (void)close(fd); /* the first error is the one that matters */
        return err->code;
    }
    return close(fd) == 0 ? ERR_OK : err_errno(err, "storing what was fetched");
}

void sink_fini(struct sink *s)
{
    if (s->fd >= 0)
        (void)close(s->fd); /* unfinished: nobody counts on it */
    buf_fini(&s->body);
    *s = SINK_NONE;
}
