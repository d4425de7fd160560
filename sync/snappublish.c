#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/errand.h"
#include "sync/snappublish.h"
#include "sync/snapshot/snapshelf.h"

struct publishing {
    struct errand base;
    const struct engine_publish *cfg;
    char *path, *url; /* url: of the published manifest */
    bool back;
    struct publish_result result;
    struct manifest *manifest;
};

struct withdrawing {
    struct errand base;
    const struct engine_publish *cfg;
    char id[MANIFEST_ID];
    char *document;
    struct snapshelf shelf;
    const char *others[SNAPSHELF_MAX + 1]; /* ids of the shelf, NULL-ended */
};

#define ITEM __attribute__((cleanup(snapshelf_item_fini))) struct snapshelf_item

/* --- the store --- */

bool snappublish_has_store(const struct engine *e)
{
    return e->cfg->publish.endpoint[0] != '\0';
}

enum errc snappublish_open(const struct engine_publish *cfg, const atomic_bool *cancel,
                           struct snappublish_access *out, struct err *err)
{
    CLEANUP(s3target_free) struct s3target *target = NULL;
    CLEANUP(s3keys_free) struct s3keys *keys = NULL;
    enum errc rc = s3target_create(cfg->endpoint, cfg->region, cfg->bucket, cfg->prefix,
                                   &target, err);

    if (rc)
        return rc;
    target->path_style = cfg->path_style;
    rc = cfg->credentials_file[0] != '\0'
             ? s3keys_read(cfg->credentials_file, &keys, err)
             : s3keys_from_environment((const char *const *)environ, &keys, err);
    if (rc)
        return rc;
    out->target = TAKE(target);
    out->keys = TAKE(keys);
    out->store = (struct publish_store){.target = out->target,
                                        .keys = out->keys,
                                        .stall_seconds = cfg->stall_seconds,
                                        .cancel = cancel};
    return ERR_OK;
}

void snappublish_close(struct snappublish_access *a)
{
    s3target_free(TAKE(a->target));
    s3keys_free(TAKE(a->keys));
}

static enum errc need_store(const struct engine *e, struct err *err)
{
    if (snappublish_has_store(e))
        return ERR_OK;
    return err_set(err, ERR_CONFLICT, "publish.endpoint is not set: there is no store");
}

/* --- snapshot.publish --- */

static void free_publishing(struct errand *base)
{
    struct publishing *t = (struct publishing *)base;

    free(t->path);
    free(t->url);
    manifest_free(t->manifest);
    free(t);
}

static void on_progress(void *arg, const struct publish_progress *p)
{
    struct publishing *t = arg;

    atomic_store(&t->base.total, p->of_bytes);
    atomic_store(&t->base.done, p->bytes);
    if (p->why)
        log_warn("publishing meets trouble, retrying", KV_U("job", t->base.job_id),
                 KV_S("reason", reason_code(p->why->reason)),
                 KV_S("detail", p->why->msg), KV_U("wait_ms", p->wait_ms));
}

static enum errc run_publishing(struct errand *base, struct err *err)
{
    struct publishing *t = (struct publishing *)base;
    struct publish_order o = {
        .dir = t->path, .may_go_back = t->back, .progress = on_progress, .arg = t};
    struct snappublish_access a = {.target = NULL};
    enum errc rc = snappublish_open(t->cfg, &base->base.task.cancel, &a, err);

    if (rc)
        return rc;
    o.store = a.store;
    rc = publish_run(&o, &t->result, err);
    if (!rc) {
        AUTOFREE char *name = xasprintf("%s/manifest.json", t->result.id);
        AUTOFREE char *key = s3target_key(a.target, name);

        t->url = s3target_url(a.target, key, "");
    }
    snappublish_close(&a);
    return rc;
}

static cJSON *describe(const struct publishing *t)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "id", t->result.id);
    cJSON_AddStringToObject(o, "manifest", t->url);
    cJSON_AddBoolToObject(o, "is_latest", t->result.is_latest);
    cJSON_AddNumberToObject(o, "sent_bytes", (double)t->result.sent_bytes);
    cJSON_AddNumberToObject(o, "kept_bytes", (double)t->result.kept_bytes);
    return o;
}

static enum errc note(struct engine *e, const struct errand *t, const char *what,
                      const cJSON *detail, struct err *err)
{
    cJSON *o = cJSON_Duplicate(detail, true);
    char *text;
    enum errc rc;

    cJSON_AddNumberToObject(o, "job", (double)t->job_id);
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    rc = control_audit_append(e->control, clock_now_ms(), what, text, err);
    cJSON_free(text);
    return rc;
}

static enum errc finish_publishing(struct engine *e, struct errand *base,
                                   cJSON **result, struct err *err)
{
    struct publishing *t = (struct publishing *)base;

    *result = describe(t);
    if (note(e, base, "snapshot_published", *result, err) != ERR_OK)
        return err->code;
    log_info("snapshot published", KV_S("id", t->result.id), KV_S("manifest", t->url),
             KV_U("sent_bytes", t->result.sent_bytes));
    snapwatch_published(e, t->manifest);
    return ERR_OK;
}

enum errc snappublish_start(struct engine *e, const struct engine_request *req,
                            cJSON **result, struct err *err)
{
    ITEM item = {.manifest = NULL};
    struct publishing *t;

    if (need_store(e, err) != ERR_OK ||
        snapshelf_get(e->cfg->data_dir, req->snapshot, &item, err) != ERR_OK)
        return err->code;
    if (item.withdrawn)
        return err_set(err, ERR_CONFLICT, "snapshot %s was withdrawn", item.id);
    t = xcalloc(1, sizeof(*t));
    t->base.kind = SNAPPUBLISH_KIND;
    t->base.act = "snapshot.publish";
    t->base.unit = "bytes";
    t->base.run = run_publishing;
    t->base.finish = finish_publishing;
    t->base.free = free_publishing;
    t->base.request = cJSON_CreateObject();
    cJSON_AddStringToObject(t->base.request, "id", item.id);
    t->cfg = &e->cfg->publish;
    t->path = snapshelf_path(e->cfg->data_dir, item.id);
    t->back = req->back;
    t->manifest = TAKE(item.manifest);
    return errands_start(e, req, &t->base, result, err);
}

/* --- snapshot.unpublish --- */

static void free_withdrawing(struct errand *base)
{
    struct withdrawing *t = (struct withdrawing *)base;

    snapshelf_fini(&t->shelf);
    free(t->document);
    free(t);
}

static enum errc run_withdrawing(struct errand *base, struct err *err)
{
    struct withdrawing *t = (struct withdrawing *)base;
    struct snappublish_access a = {.target = NULL};
    enum errc rc = snappublish_open(t->cfg, &base->base.task.cancel, &a, err);

    if (!rc)
        rc = publish_withdraw(&a.store, t->id, t->document, t->others, err);
    snappublish_close(&a);
    return rc;
}

static enum errc finish_withdrawing(struct engine *e, struct errand *base,
                                    cJSON **result, struct err *err)
{
    const struct withdrawing *t = (struct withdrawing *)base;

    *result = cJSON_CreateObject();
    cJSON_AddStringToObject(*result, "id", t->id);
    if (note(e, base, "snapshot_unpublished", *result, err) != ERR_OK)
        return err->code;
    log_warn("the store was told that a snapshot is withdrawn", KV_S("id", t->id));
    return ERR_OK;
}

/* withdrawn.json: with the revocation, where there is one that somebody signed. */
static enum errc make_document(struct engine *e, const struct snapshelf_item *item,
                               char **out, struct err *err)
{
    struct statements s = {.count = 0};
    CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);
    cJSON *o;

    if (statements_load(e, item->manifest->height, item->manifest->block_hash, &s,
                        err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < s.count && text.len == 0; i++)
        if (s.list[i]->type == TRUST_REVOCATION)
            trust_statement_write(s.list[i], &text);
    statements_fini(&s);
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "format", "cairn-withdrawn-1");
    cJSON_AddStringToObject(o, "id", item->id);
    cJSON_AddStringToObject(o, "reason", item->reason);
    cJSON_AddRawToObject(o, "revocation", text.len > 0 ? text.data : "null");
    *out = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return ERR_OK;
}

static enum errc list_others(struct engine *e, struct withdrawing *t, struct err *err)
{
    size_t n = 0;

    if (snapshelf_read(e->cfg->data_dir, &t->shelf, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < t->shelf.count; i++)
        if (!t->shelf.items[i].withdrawn && strcmp(t->shelf.items[i].id, t->id) != 0)
            t->others[n++] = t->shelf.items[i].id;
    return ERR_OK;
}

enum errc snappublish_withdraw(struct engine *e, const struct engine_request *req,
                               cJSON **result, struct err *err)
{
    ITEM item = {.manifest = NULL};
    struct withdrawing *t;

    if (need_store(e, err) != ERR_OK ||
        snapshelf_get(e->cfg->data_dir, req->snapshot, &item, err) != ERR_OK)
        return err->code;
    if (!item.withdrawn)
        return err_set(err, ERR_CONFLICT,
                       "snapshot %s was not withdrawn; call snapshot.withdraw",
                       item.id);
    t = xcalloc(1, sizeof(*t));
    t->base.kind = "snapshot_unpublish";
    t->base.act = "snapshot.unpublish";
    t->base.run = run_withdrawing;
    t->base.finish = finish_withdrawing;
    t->base.free = free_withdrawing;
    t->cfg = &e->cfg->publish;
    memcpy(t->id, item.id, sizeof(t->id));
    if (make_document(e, &item, &t->document, err) != ERR_OK ||
        list_others(e, t, err) != ERR_OK) {
        free_withdrawing(&t->base);
        return err->code;
    }
    t->base.request = cJSON_CreateObject();
    cJSON_AddStringToObject(t->base.request, "id", t->id);
    return errands_start(e, req, &t->base, result, err);
}
