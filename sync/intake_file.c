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

/* --- copies --- */

static enum errc open_source(const char *from, uint64_t max_bytes, int *in,
                             struct err *err)
{
    struct stat st;

    *in = open(from, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*in < 0 || fstat(*in, &st) != 0 || !S_ISREG(st.st_mode))
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "%.150s is no readable file",
                        from);
    if ((uint64_t)st.st_size > max_bytes)
        return err_fail(err, REASON_PAYLOAD_TOO_LARGE, "%.100s has %lld bytes", from,
                        (long long)st.st_size);
    return ERR_OK;
}

static enum errc copy_bytes(const char *from, int in, const char *to, int out,
                            const atomic_bool *cancel, struct err *err)
{
    for (;;) {
        ssize_t n = copy_file_range(in, NULL, out, NULL, 8 << 20, 0);

        if (n < 0)
            return err_errno(err, "copying %.100s", from);
        if (n == 0)
            return durable_sync(out, to, err);
        if (atomic_load(cancel))
            return err_set(err, ERR_CANCELED, "cancelled");
    }
}

enum errc intake_copy(const char *from, const char *to, uint64_t max_bytes,
                      const atomic_bool *cancel, struct err *err)
{
    int in = -1, out = -1;

    *err = (struct err){0};
    if (open_source(from, max_bytes, &in, err) == ERR_OK) {
        out = open(to, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
        if (out < 0)
            (void)err_errno(err, "%s", to);
        else
            (void)copy_bytes(from, in, to, out, cancel, err);
    }
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    return err->code;
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
