#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "sync/bundle/bundle.h"
#include "sync/bundle/bundle_out.h"
#include "sync/bundle/bundle_part.h"
#include "sync/snapshot/snapdir.h"

enum { TABLE, FRAMES, HEADERS, FILES };
static const char *const names[FILES] = {SNAPDIR_TABLE, SNAPDIR_FRAMES,
                                         SNAPDIR_HEADERS};

struct bundle_out {
    char *dir, *path; /* path: of the .incomplete */
    bool begun, finished;
    char *files[FILES];
    int fds[FILES];
    struct bundle_place place;
};

static enum errc create_files(struct bundle_out *o, struct err *err)
{
    for (size_t i = 0; i < FILES; i++) {
        o->files[i] = xasprintf("%s/%s", o->path, names[i]);
        o->fds[i] = open(o->files[i], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (o->fds[i] < 0)
            return err_errno(err, "create %s", o->files[i]);
    }
    o->place = (struct bundle_place){
        .table_fd = o->fds[TABLE], .frames_fd = o->fds[FRAMES], .name = o->path};
    return ERR_OK;
}

static enum errc write_manifest(const struct bundle_out *o, const struct manifest *m,
                                struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/%s", o->path, SNAPDIR_MANIFEST);
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);

    manifest_write(m, &text);
    return durable_replace(path, text.data, text.len, err);
}

static void remove_all(const struct bundle_out *o)
{
    struct err ignored; /* it has another name than a snapshot's */

    (void)snapdir_remove(o->path, &ignored);
}

enum errc bundle_out_create(const char *dir, const struct manifest *m,
                            struct bundle_out **out, struct err *err)
{
    CLEANUP(bundle_out_free) struct bundle_out *o = xcalloc(1, sizeof(*o));
    struct stat st;

    for (size_t i = 0; i < FILES; i++)
        o->fds[i] = -1;
    o->dir = xstrdup(dir);
    o->path = xasprintf("%s%s", dir, SNAPDIR_INCOMPLETE);
    if (lstat(dir, &st) == 0)
        return err_set(err, ERR_CONFLICT, "%s is there already", dir);
    remove_all(o); /* of a run that was killed */
    if (mkdir(o->path, 0700) != 0)
        return err_errno(err, "create %s", o->path);
    o->begun = true;
    if (create_files(o, err) || write_manifest(o, m, err))
        return err->code;
    *out = TAKE(o);
    return ERR_OK;
}

void bundle_out_free(struct bundle_out *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < FILES; i++) {
        if (o->fds[i] >= 0)
            (void)close(o->fds[i]);
        free(o->files[i]);
    }
    if (o->begun && !o->finished)
        remove_all(o);
    free(o->dir);
    free(o->path);
    free(o);
}

enum errc bundle_out_headers(struct bundle_out *o, const uint8_t *bytes, size_t len,
                             struct err *err)
{
    uint8_t le[BUNDLE_PART_LENGTH];

    bundle_part_put_length(len, le);
    return durable_write(o->fds[HEADERS], le, sizeof(le), o->files[HEADERS], err)
               ? err->code
               : durable_write(o->fds[HEADERS], bytes, len, o->files[HEADERS], err);
}

const struct bundle_place *bundle_out_place(const struct bundle_out *o)
{
    return &o->place;
}

enum errc bundle_out_finish(struct bundle_out *o, struct err *err)
{
    for (size_t i = 0; i < FILES; i++)
        if (durable_sync(o->fds[i], o->files[i], err))
            return err->code;
    if (durable_sync_dir_of(o->files[0], err) || durable_rename(o->path, o->dir, err))
        return err->code;
    o->finished = true;
    return ERR_OK;
}
