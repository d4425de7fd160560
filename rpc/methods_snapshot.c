#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "rpc/methods.h"
#include "rpc/out.h"
#include "sync/snapshot/snapshelf.h"

/* Snapshots this node has made.  What is there is read from the disk; what changes it
   is the engine's. */

#define ITEM __attribute__((cleanup(snapshelf_item_fini))) struct snapshelf_item

static enum errc call(struct rpc_ctx *ctx, struct engine_request *req, cJSON *result,
                      struct err *err)
{
    cJSON *answer;

    req->actor = ctx->actor;
    if (engine_call(ctx->engine, req, &answer, err))
        return err->code;
    out_adopt(result, answer);
    return ERR_OK;
}

METHODS_HANDLER(snapshot_create)
{
    struct engine_request req = {.op = ENGINE_SNAPSHOT_CREATE,
                                 .has_height = p->height.given,
                                 .height = p->height.value,
                                 .block_hash = p->block_hash,
                                 .idempotency_key = p->idempotency_key};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(snapshot_verify)
{
    struct engine_request req = {.op = ENGINE_SNAPSHOT_VERIFY,
                                 .snapshot = p->id,
                                 .idempotency_key = p->idempotency_key};

    return call(ctx, &req, result, err);
}

const char *const methods_formats[] = {"payload", "chunks", "stock", NULL};

METHODS_HANDLER(snapshot_export)
{
    struct engine_request req = {.op = ENGINE_SNAPSHOT_EXPORT,
                                 .snapshot = p->id,
                                 .format = methods_formats[p->format],
                                 .path = p->path,
                                 .key = p->key,
                                 .idempotency_key = p->idempotency_key};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(snapshot_delta)
{
    struct engine_request req = {.op = ENGINE_SNAPSHOT_DELTA,
                                 .snapshot = p->id,
                                 .base = p->base,
                                 .path = p->path,
                                 .idempotency_key = p->idempotency_key};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(snapshot_publish)
{
    struct engine_request req = {.op = ENGINE_SNAPSHOT_PUBLISH,
                                 .snapshot = p->id,
                                 .back = p->back,
                                 .idempotency_key = p->idempotency_key};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(snapshot_unpublish)
{
    struct engine_request req = {.op = ENGINE_SNAPSHOT_UNPUBLISH,
                                 .snapshot = p->id,
                                 .idempotency_key = p->idempotency_key};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(snapshot_delete)
{
    struct engine_request req = {
        .op = ENGINE_SNAPSHOT_DELETE, .snapshot = p->id, .reason = p->reason};

    return call(ctx, &req, result, err);
}

enum errc methods_canonical(const char *name, const struct span *text, struct buf *out,
                            struct err *err)
{
    const struct json_limits limits = {
        .max_bytes = MANIFEST_MAX, .max_nodes = 4096, .max_depth = 8};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct err why;

    if (json_parse(text->at, text->len, &limits, &doc, &why))
        return err_set(err, ERR_INVALID, "%s: %.180s", name, why.msg);
    json_write(json_root(doc), JSON_CANON, out);
    return ERR_OK;
}

METHODS_HANDLER(snapshot_merge)
{
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    struct engine_request req = {.op = ENGINE_SNAPSHOT_MERGE, .snapshot = p->id};

    if (methods_canonical("manifest", &p->manifest, &text, err))
        return err->code;
    req.document = text.data;
    return call(ctx, &req, result, err);
}

METHODS_HANDLER(snapshot_withdraw)
{
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    struct engine_request req = {
        .op = ENGINE_SNAPSHOT_WITHDRAW, .snapshot = p->id, .reason = p->reason};

    if (p->revocation.at && methods_canonical("revocation", &p->revocation, &text, err))
        return err->code;
    req.document = p->revocation.at ? text.data : NULL;
    return call(ctx, &req, result, err);
}

static void add_item(const struct snapshelf_item *item, cJSON *o)
{
    const struct manifest *m = item->manifest;

    out_text(o, "id", item->id);
    out_u64(o, "height", m->height);
    out_hash(o, "block_hash", m->block_hash);
    out_hash(o, "state_root", m->state_root);
    out_u64(o, "coin_count", m->coin_count);
    out_u64(o, "chunk_count", m->chunk_count);
    out_u64(o, "bytes", m->bytes);
    out_u64(o, "frames_bytes", m->frames_bytes);
    out_u64(o, "signatures", m->signature_count + m->xai_count);
    out_time(o, "made_at", item->made_ms);
    if (item->withdrawn) {
        cJSON *w = cJSON_AddObjectToObject(o, "withdrawn");

        out_time(w, "at", item->withdrawn_ms);
        out_text(w, "reason", item->reason);
    } else {
        cJSON_AddNullToObject(o, "withdrawn");
    }
}

METHODS_HANDLER(snapshot_list)
{
    struct snapshelf shelf;
    cJSON *list = cJSON_AddArrayToObject(result, "snapshots");

    (void)p;
    if (snapshelf_read(ctx->cfg->data_dir, &shelf, err))
        return err->code;
    for (size_t i = 0; i < shelf.count; i++) {
        cJSON *o = cJSON_CreateObject();

        cJSON_AddItemToArray(list, o);
        add_item(&shelf.items[i], o);
    }
    snapshelf_fini(&shelf);
    return ERR_OK;
}

METHODS_HANDLER(snapshot_get)
{
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    AUTOFREE char *path = NULL, *whole = NULL;
    ITEM item = {.manifest = NULL};
    uint8_t digest[32];

    if (snapshelf_get(ctx->cfg->data_dir, p->id, &item, err))
        return err->code;
    add_item(&item, result);
    manifest_digest(item.manifest, digest);
    out_hash(result, "digest", digest);
    path = snapshelf_path(ctx->cfg->data_dir, item.id);
    whole = realpath(path, NULL); /* data_dir may be relative to where we started */
    out_text(result, "path", ctx->role == RPC_ROLE_ADMIN ? whole : NULL);
    manifest_write(item.manifest, &text);
    return out_document(result, "manifest", text.data, err);
}
