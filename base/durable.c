#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/durable.h"
#include "base/failpoint.h"
#include "base/mem.h"

enum errc durable_write(int fd, const void *bytes, size_t len, const char *path,
                        struct err *err)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "write %s", path);
        p += n;
        len -= (size_t)n;
    }
    return ERR_OK;
}

enum errc durable_write_at(int fd, const void *bytes, size_t len, uint64_t at,
                           const char *path, struct err *err)
{
    const char *p = bytes;

    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "write %s", path);
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return ERR_OK;
}

enum errc durable_sync(int fd, const char *path, struct err *err)
{
    failpoint_pass(FAILPOINT_SYNC_BEFORE);
    if (fsync(fd) != 0)
        return err_errno(err, "sync %s", path);
    failpoint_pass(FAILPOINT_SYNC_AFTER);
    return ERR_OK;
}

enum errc durable_sync_dir_of(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    AUTOFREE char *dir =
        slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum errc rc;

    if (fd < 0)
        return err_errno(err, "open %s", dir);
    rc = durable_sync(fd, dir, err);
    (void)close(fd);
    return rc;
}

enum errc durable_rename(const char *from, const char *to, struct err *err)
{
    failpoint_pass(FAILPOINT_RENAME_BEFORE);
    if (rename(from, to) != 0)
        return err_errno(err, "rename %s", to);
    failpoint_pass(FAILPOINT_RENAME_AFTER);
    return durable_sync_dir_of(to, err);
}

enum errc durable_replace(const char *path, const void *bytes, size_t len,
                          struct err *err)
{
    AUTOFREE char *part = xasprintf("%s.part", path);
    enum errc rc;
    int fd;

    (void)unlink(part); /* of a run that was killed here */
    fd = open(part, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "create %s", part);
    rc = durable_write(fd, bytes, len, part, err);
    if (!rc)
        rc = durable_sync(fd, part, err);
    (void)close(fd);
    if (!rc)
        rc = durable_rename(part, path, err);
    if (rc)
        (void)unlink(part); /* a full disk needs the room */
    return rc;
}

enum errc durable_create(const char *path, const void *bytes, size_t len,
                         struct err *err)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum errc rc;

    if (fd < 0 && errno == EEXIST)
        return err_set(err, ERR_CONFLICT, "%s is there already", path);
    if (fd < 0)
        return err_errno(err, "create %s", path);
    rc = durable_write(fd, bytes, len, path, err);
    if (!rc)
        rc = durable_sync(fd, path, err);
    (void)close(fd);
    if (!rc)
        rc = durable_sync_dir_of(path, err);
    if (rc)
        (void)unlink(path);
    return rc;
}
