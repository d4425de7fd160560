#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "rpc/runfile.h"

static enum errc write_all(int fd, const char *text, const char *path, struct err *err)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t n = write(fd, text, left);

        if (n < 0)
            return err_errno(err, "%s", path);
        text += n;
        left -= (size_t)n;
    }
    return ERR_OK;
}

enum errc runfile_write(const char *path, const char *line, struct err *err)
{
    AUTOFREE char *temp = xasprintf("%s.tmp", path);
    enum errc rc;
    int fd;

    (void)unlink(temp); /* of a run that was killed here */
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "%s", temp);
    rc = write_all(fd, line, temp, err);
    if (!rc)
        rc = write_all(fd, "\n", temp, err);
    if (close(fd) != 0 && !rc)
        rc = err_errno(err, "%s", temp);
    if (!rc && rename(temp, path) != 0)
        rc = err_errno(err, "%s", path);
    return rc;
}
