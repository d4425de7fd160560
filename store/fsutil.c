#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/fsutil.h"

enum errc fsutil_write(int fd, const void *bytes, size_t len, const char *path,
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

enum errc fsutil_sync_dir_of(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    AUTOFREE char *dir =
        slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum errc rc = ERR_OK;

    if (fd < 0)
        return err_errno(err, "open %s", dir);
    if (fsync(fd) != 0)
        rc = err_errno(err, "sync %s", dir);
    (void)close(fd);
    return rc;
}
