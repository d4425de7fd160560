#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/errand.h"
#include "sync/snapshot/snapdir.h"
#include "sync/snapshot/snapshelf.h"
#include "sync/snapshots.h"

/* snapshot.verify: every byte of one of our snapshots against its manifest, and every
   signature of that, by a worker; what is wrong is the error of its job. */

struct verify {
    struct errand base;
    char *path;
    char id[MANIFEST_ID];
    size_t signatures;
    uint32_t chunks;
};

static void free_verify(struct errand *base)
{
    struct verify *t = (struct verify *)base;

    free(t->path);
    free(t);
}

static enum errc run(struct errand *base, struct err *err)
{
    struct verify *t = (struct verify *)base;
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    const struct manifest *m;
    char id[MANIFEST_ID];

    if (snapdir_open(t->path, &s, err))
        return err->code;
    m = snapdir_manifest(s);
    manifest_id(m, id);
    if (strcmp(id, t->id) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "the manifest is that of snapshot %s", id);
    atomic_store(&base->total, m->bytes);
    t->signatures = m->signature_count + m->xai_count;
    t->chunks = m->chunk_count;
    if (manifest_check_signatures(m, err))
        return err->code;
    return snapdir_verify(s, &base->base.task.cancel, &base->done, err);
}

static enum errc finish(struct engine *e, struct errand *base, cJSON **result,
                        struct err *err)
{
    const struct verify *t = (struct verify *)base;
    cJSON *o = cJSON_CreateObject();

    (void)e;
    (void)err;
    cJSON_AddStringToObject(o, "id", t->id);
    cJSON_AddNumberToObject(o, "chunks", (double)t->chunks);
    cJSON_AddNumberToObject(o, "signatures", (double)t->signatures);
    *result = o;
    return ERR_OK;
}

enum errc snapverify_start(struct engine *e, const struct engine_request *req,
                           cJSON **result, struct err *err)
{
    struct verify *t;

    switch (snapshelf_place(e->cfg->data_dir, req->snapshot)) {
    case SNAPSHELF_NONE:
        return err_fail(err, REASON_NOT_FOUND, "no snapshot %.64s", req->snapshot);
    case SNAPSHELF_WITHDRAWN:
        return err_set(err, ERR_CONFLICT, "snapshot %.64s was withdrawn",
                       req->snapshot);
    case SNAPSHELF_HERE:
        break;
    }
    t = xcalloc(1, sizeof(*t));
    t->base.kind = "snapshot_verify";
    t->base.unit = "bytes";
    t->base.run = run;
    t->base.finish = finish;
    t->base.free = free_verify;
    t->path = snapshelf_path(e->cfg->data_dir, req->snapshot);
    memcpy(t->id, req->snapshot, strlen(req->snapshot) + 1); /* an id: it fits */
    t->base.act = "snapshot.verify";
    t->base.request = cJSON_CreateObject();
    cJSON_AddStringToObject(t->base.request, "id", t->id);
    return errands_start(e, req, &t->base, result, err);
}
