#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/extsort_run.h"

enum {
    RUN_BUFFER = 64 << 10,
    LENGTH_BYTES =
        sizeof(uint32_t), /* before each record; the file never leaves here */
};

struct extsort_run {
    int fd;
    size_t record_max;
    uint8_t *buf; /* NULL until used, and after the seal until read */
    size_t cap, pos, len;
    uint64_t file_bytes, file_pos;
};

/* A file without a name: nothing to clean up after a crash. */
static int open_unnamed(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char *path;

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    path = xasprintf("%s/.sort-XXXXXX", dir); /* the file system has no O_TMPFILE */
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path);
    free(path);
    return fd;
}

enum errc extsort_run_create(const char *dir, size_t record_max,
                             struct extsort_run **out, struct err *err)
{
    CLEANUP(extsort_run_free) struct extsort_run *r = xcalloc(1, sizeof(*r));

    r->record_max = record_max;
    r->cap =
        RUN_BUFFER > record_max + LENGTH_BYTES ? RUN_BUFFER : record_max + LENGTH_BYTES;
    r->fd = open_unnamed(dir);
    if (r->fd < 0)
        return err_errno(err, "sort file in %s", dir);
    *out = TAKE(r);
    return ERR_OK;
}

void extsort_run_free(struct extsort_run *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        (void)close(r->fd);
    free(r->buf);
    free(r);
}

static enum errc flush(struct extsort_run *r, struct err *err)
{
    size_t done = 0;

    while (done < r->len) {
        ssize_t n = write(r->fd, r->buf + done, r->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "write sort file");
        done += (size_t)n;
    }
    r->file_bytes += r->len;
    r->len = 0;
    return ERR_OK;
}

enum errc extsort_run_add(struct extsort_run *r, const uint8_t *record, size_t len,
                          struct err *err)
{
    uint32_t prefix = (uint32_t)len;

    if (!r->buf)
        r->buf = xcalloc(1, r->cap);
    if (r->len + LENGTH_BYTES + len > r->cap) {
        enum errc rc = flush(r, err);

        if (rc)
            return rc;
    }
    memcpy(r->buf + r->len, &prefix, LENGTH_BYTES);
    memcpy(r->buf + r->len + LENGTH_BYTES, record, len);
    r->len += LENGTH_BYTES + len;
    return ERR_OK;
}

enum errc extsort_run_seal(struct extsort_run *r, struct err *err)
{
    enum errc rc = flush(r, err);

    free(TAKE(r->buf));
    return rc;
}

/* At least want bytes at pos, or all that is left of the file. */
static enum errc fill(struct extsort_run *r, size_t want, struct err *err)
{
    if (r->len - r->pos >= want)
        return ERR_OK;
    if (!r->buf)
        r->buf = xcalloc(1, r->cap);
    memmove(r->buf, r->buf + r->pos, r->len - r->pos);
    r->len -= r->pos;
    r->pos = 0;
    while (r->len < r->cap && r->file_pos < r->file_bytes) {
        ssize_t n = pread(r->fd, r->buf + r->len, r->cap - r->len, (off_t)r->file_pos);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "read sort file");
        if (n == 0)
            return err_fail(err, REASON_STORAGE_FAILED, "sort file ends early");
        r->len += (size_t)n;
        r->file_pos += (uint64_t)n;
    }
    return ERR_OK;
}

enum errc extsort_run_next(struct extsort_run *r, const uint8_t **record, size_t *len,
                           struct err *err)
{
    uint32_t prefix;
    enum errc rc = fill(r, LENGTH_BYTES, err);

    if (rc)
        return rc;
    if (r->len == r->pos) {
        free(TAKE(r->buf));
        r->pos = r->len = 0;
        *record = NULL;
        return ERR_OK;
    }
    if (r->len - r->pos < LENGTH_BYTES)
        return err_fail(err, REASON_STORAGE_CORRUPT, "sort file is cut");
    memcpy(&prefix, r->buf + r->pos, LENGTH_BYTES);
    if (prefix == 0 || prefix > r->record_max)
        return err_fail(err, REASON_STORAGE_CORRUPT, "sort file has a bad length");
    rc = fill(r, LENGTH_BYTES + prefix, err);
    if (rc)
        return rc;
    if (r->len - r->pos < LENGTH_BYTES + prefix)
        return err_fail(err, REASON_STORAGE_CORRUPT, "sort file is cut");
    *record = r->buf + r->pos + LENGTH_BYTES;
    *len = prefix;
    r->pos += LENGTH_BYTES + prefix;
    return ERR_OK;
}
