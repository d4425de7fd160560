#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/intake.h"

enum errc intake_check_path(const struct engine *e, const char *path, struct err *err)
{
    AUTOFREE char *real = realpath(path, NULL);

    if (!real)
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "path: %.150s: %s", path,
                        strerrordesc_np(errno));
    for (const char *const *dir = e->cfg->allow_paths; dir && *dir; dir++) {
        AUTOFREE char *allowed = realpath(*dir, NULL);
        size_t n = allowed ? strlen(allowed) : 0;

        if (allowed && strncmp(real, allowed, n) == 0 &&
            (real[n] == '/' || real[n] == '\0' || n == 1))
            return ERR_OK;
    }
    return err_fail(err, REASON_SOURCE_FORBIDDEN,
                    "path: %.150s is under no directory of transfer.allow_paths", real);
}

/* --- files of incoming/<job>/: payload.part grows, payload.json is complete --- */

void intake_sibling(const struct engine *e, const char *name, char out[PATH_TEXT])
{
    size_t dir = strlen(e->job.payload_path) - strlen("payload.json");

    (void)snprintf(out, PATH_TEXT, "%.*s%s", (int)dir, e->job.payload_path, name);
}

enum errc intake_complete(const char *part, const char *whole, struct err *err)
{
    AUTOFREE char *dir = xstrdup(whole);
    enum errc rc = ERR_OK;
    int fd;

    if (rename(part, whole) != 0)
        return err_errno(err, "%s", whole);
    *strrchr(dir, '/') = '\0';
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        rc = err_errno(err, "%s", dir);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static enum errc write_all(int fd, const char *text, size_t len, struct err *err)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0)
            return err_errno(err, "payload.part");
        text += n;
        len -= (size_t)n;
    }
    return ERR_OK;
}

enum errc intake_write(struct engine *e, const char *text, struct err *err)
{
    char part[PATH_TEXT];
    int fd;

    *err = (struct err){0};
    intake_sibling(e, "payload.part", part);
    fd = open(part, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, "%s", part);
    if (write_all(fd, text, strlen(text), err) == ERR_OK && fsync(fd) != 0)
        (void)err_errno(err, "%s", part);
    (void)close(fd);
    return err->code ? err->code : intake_complete(part, e->job.payload_path, err);
}
