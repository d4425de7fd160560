#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/errand.h"
#include "sync/serve/serve_chunks.h"
#include "sync/snapshot/delta.h"
#include "sync/snapshot/export.h"
#include "sync/snapshot/snapdir.h"
#include "sync/snapshot/snapshelf.h"
#include "sync/snapshots.h"

/* snapshot.export and snapshot.delta: one of our snapshots in another form, by a
   worker, in a place the operator allows; or in XAI's chunks where we serve them from.
 */
enum { SORT_MEMORY = 16 << 20 };

struct write_out {
    struct errand base;
    char *snapshot, *from, *to; /* from: of a delta */
    char *part;                 /* of to, until it is whole */
    char *tmp;
    char *shelf; /* chunks for others: where the older ones are; NULL */
    char *signer;
    char id[MANIFEST_ID];
    const char *format;
    struct payload_written payload;
    struct delta_info delta;
};

static void free_out(struct errand *base)
{
    struct write_out *t = (void *)base;

    free(t->snapshot);
    free(t->from);
    free(t->to);
    free(t->part);
    free(t->tmp);
    free(t->shelf);
    free(t->signer);
    free(t);
}

/* --- where to --- */

static bool is_below(const char *real, const char *dir)
{
    AUTOFREE char *allowed = realpath(dir, NULL);
    size_t n = allowed ? strlen(allowed) : 0;

    return allowed && strncmp(real, allowed, n) == 0 &&
           (real[n] == '/' || real[n] == '\0' || n == 1);
}

/* A name that is not taken, in a directory under one of transfer.allow_paths. */
static enum errc check_target(const struct engine *e, const char *path, char **out,
                              struct err *err)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    AUTOFREE char *parent = NULL, *real = NULL;
    struct stat st;

    if (!slash || slash[1] == '\0' || strcmp(slash, "/..") == 0 ||
        strcmp(slash, "/.") == 0)
        return err_set(err, ERR_INVALID, "path: wants the path of what is to be made");
    parent = xstrndup(path, (size_t)(slash - path) + 1);
    real = realpath(parent, NULL);
    if (!real)
        return err_fail(err, REASON_NOT_FOUND, "path: %.150s: %s", parent,
                        strerrordesc_np(errno));
    for (const char *const *dir = e->cfg->allow_paths; dir && *dir; dir++) {
        if (!is_below(real, *dir))
            continue;
        *out = xasprintf("%s%s", real, slash);
        if (lstat(*out, &st) == 0)
            return err_set(err, ERR_CONFLICT, "path: %.150s is there already", *out);
        return ERR_OK;
    }
    return err_fail(err, REASON_SOURCE_FORBIDDEN,
                    "path: %.150s is under no directory of transfer.allow_paths", real);
}

static enum errc check_snapshot(const struct engine *e, const char *id, char **path,
                                struct err *err)
{
    switch (snapshelf_place(e->cfg->data_dir, id)) {
    case SNAPSHELF_NONE:
        return err_fail(err, REASON_NOT_FOUND, "no snapshot %.64s", id);
    case SNAPSHELF_WITHDRAWN:
        return err_set(err, ERR_CONFLICT, "snapshot %.64s was withdrawn", id);
    case SNAPSHELF_HERE:
        break;
    }
    *path = snapshelf_path(e->cfg->data_dir, id);
    return ERR_OK;
}

/* --- at the worker --- */

static enum errc write_it(struct write_out *t, struct err *err)
{
    const struct export_order o = {.snapshot = t->snapshot,
                                   .tmp_dir = t->tmp,
                                   .sort_memory = SORT_MEMORY,
                                   .cancel = &t->base.base.task.cancel,
                                   .done = &t->base.done,
                                   .signer = t->signer};
    const struct delta_watch watch = {&t->base.base.task.cancel, &t->base.done};
    char id[40];

    if (t->from)
        return delta_make(t->from, t->snapshot, t->part, &watch, &t->delta, err);
    if (strcmp(t->format, "payload") == 0)
        return export_payload(&o, t->part, &t->payload, err);
    if (strcmp(t->format, "chunks") == 0)
        return export_chunks(&o, t->part, id, err);
    return export_stock(&o, t->part, err);
}

/* Made again: the same bytes. */
static enum errc replace_chunks(struct write_out *t, struct err *err)
{
    export_remove_chunks(t->to);
    if (durable_rename(t->part, t->to, err))
        return err->code;
    serve_chunks_trim(t->shelf);
    return ERR_OK;
}

static enum errc run(struct errand *base, struct err *err)
{
    struct write_out *t = (void *)base;

    if (t->shelf) {
        (void)mkdir(t->shelf, 0700); /* a failure shows at the first file */
        export_remove_chunks(t->part);
    }
    if (write_it(t, err))
        return err->code;
    return t->shelf ? replace_chunks(t, err) : durable_rename(t->part, t->to, err);
}

static enum errc finish(struct engine *e, struct errand *base, cJSON **result,
                        struct err *err)
{
    const struct write_out *t = (void *)base;
    cJSON *o = cJSON_CreateObject();
    char hex[65];

    (void)e;
    (void)err;
    cJSON_AddStringToObject(o, "id", t->id);
    if (!t->shelf)
        cJSON_AddStringToObject(o, "path", t->to);
    if (t->from) {
        cJSON_AddNumberToObject(o, "removed", (double)t->delta.removed);
        cJSON_AddNumberToObject(o, "added", (double)t->delta.added);
        cJSON_AddNumberToObject(o, "bytes", (double)t->delta.bytes);
    } else if (t->payload.bytes > 0) {
        hex_encode(t->payload.state_hash, 32, hex);
        cJSON_AddStringToObject(o, "state_hash", hex);
        cJSON_AddNumberToObject(o, "bytes", (double)t->payload.bytes);
    }
    *result = o;
    return ERR_OK;
}

/* --- the calls --- */

static struct write_out *out_new(const struct engine *e, const char *id)
{
    struct write_out *t = xcalloc(1, sizeof(*t));

    t->base.run = run;
    t->base.finish = finish;
    t->base.free = free_out;
    t->tmp = xasprintf("%s/incoming", e->cfg->data_dir);
    (void)snprintf(t->id, sizeof(t->id), "%s", id);
    t->base.request = cJSON_CreateObject();
    cJSON_AddStringToObject(t->base.request, "id", t->id);
    return t;
}

static enum errc begin(struct engine *e, const struct engine_request *req,
                       struct write_out *t, cJSON **result, struct err *err)
{
    struct stat st;

    t->part = xasprintf("%s.part", t->to);
    if (!t->shelf) {
        cJSON_AddStringToObject(t->base.request, "path", t->to);
        if (lstat(t->part, &st) == 0) {
            (void)err_set(err, ERR_CONFLICT, "path: %.150s is there already", t->part);
            free_out(&t->base);
            return err->code;
        }
    }
    return errands_start(e, req, &t->base, result, err);
}

static char *served_path(const struct engine *e, const struct manifest *m)
{
    char hash[65];

    hex_encode(m->block_hash, 32, hash);
    return xasprintf("%s/" SERVE_CHUNKS_DIR "/height_%llu_%.8s", e->cfg->data_dir,
                     (unsigned long long)m->height, hash);
}

void snapexport_forget(const struct engine *e, const struct manifest *m)
{
    AUTOFREE char *path = served_path(e, m);

    export_remove_chunks(path);
}

/* Without a path, chunks are made where others may ask for them. */
static enum errc choose_target(const struct engine *e, const struct engine_request *req,
                               const char *snapshot, char **to, char **shelf,
                               struct err *err)
{
    AUTOFREE char *manifest = xasprintf("%s/" SNAPDIR_MANIFEST, snapshot);
    CLEANUP(manifest_free) struct manifest *m = NULL;

    if (req->path || strcmp(req->format, "chunks") != 0)
        return check_target(e, req->path, to, err);
    if (manifest_read(manifest, &m, err))
        return err->code;
    *shelf = xasprintf("%s/" SERVE_CHUNKS_DIR, e->cfg->data_dir);
    *to = served_path(e, m);
    return ERR_OK;
}

enum errc snapexport_start(struct engine *e, const struct engine_request *req,
                           cJSON **result, struct err *err)
{
    AUTOFREE char *snapshot = NULL, *to = NULL, *shelf = NULL;
    struct write_out *t;

    if (check_snapshot(e, req->snapshot, &snapshot, err) ||
        choose_target(e, req, snapshot, &to, &shelf, err))
        return err->code;
    t = out_new(e, req->snapshot);
    t->base.kind = "snapshot_export";
    t->base.act = "snapshot.export";
    t->base.unit = "coins";
    t->format = req->format; /* a name of a table */
    t->snapshot = TAKE(snapshot);
    t->to = TAKE(to);
    t->shelf = TAKE(shelf);
    t->signer = req->key ? xstrdup(req->key) : NULL;
    cJSON_AddStringToObject(t->base.request, "format", t->format);
    return begin(e, req, t, result, err);
}

enum errc snapdelta_start(struct engine *e, const struct engine_request *req,
                          cJSON **result, struct err *err)
{
    AUTOFREE char *snapshot = NULL, *from = NULL, *to = NULL;
    struct write_out *t;

    if (check_snapshot(e, req->snapshot, &snapshot, err) ||
        check_snapshot(e, req->base, &from, err) ||
        check_target(e, req->path, &to, err))
        return err->code;
    t = out_new(e, req->snapshot);
    t->base.kind = "snapshot_delta";
    t->base.act = "snapshot.delta";
    t->base.unit = "bytes";
    t->snapshot = TAKE(snapshot);
    t->from = TAKE(from);
    t->to = TAKE(to);
    cJSON_AddStringToObject(t->base.request, "base", req->base);
    return begin(e, req, t, result, err);
}
