#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "sync/intake.h"

enum errc intake_check_path(const struct engine *e, const char *path, struct err *err)
{
    AUTOFREE char *real = realpath(path, NULL);
    struct stat st;

    if (!real || stat(real, &st) != 0)
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "path: %.150s: %s", path,
                        strerrordesc_np(errno));
    for (const char *const *dir = e->cfg->allow_paths; dir && *dir; dir++) {
        AUTOFREE char *allowed = realpath(*dir, NULL);
        size_t n = allowed ? strlen(allowed) : 0;

        if (!allowed || strncmp(real, allowed, n) != 0 ||
            (real[n] != '/' && real[n] != '\0' && n != 1))
            continue;
        /* Reading a pipe would have no end. */
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
            return ERR_OK;
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "path: %.150s is no file",
                        real);
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

enum errc intake_write(struct engine *e, const char *text, struct err *err)
{
    return durable_replace(e->job.payload_path, text, strlen(text), err);
}
