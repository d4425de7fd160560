#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/snappublish.h"
#include "sync/snapshot/snapdir.h"
#include "sync/snapshot/snapshelf.h"
#include "sync/snapshots.h"

/* What a publisher does with a snapshot that is there: signatures brought to it, its
   withdrawal, its end.  Each is in the audit log. */

#define ITEM __attribute__((cleanup(snapshelf_item_fini))) struct snapshelf_item

static cJSON *describe(const struct snapshelf_item *item)
{
    cJSON *o = cJSON_CreateObject();
    char hex[65];

    hex_encode(item->manifest->block_hash, 32, hex);
    cJSON_AddStringToObject(o, "id", item->id);
    cJSON_AddNumberToObject(o, "height", (double)item->manifest->height);
    cJSON_AddStringToObject(o, "block_hash", hex);
    return o;
}

static enum errc note(struct engine *e, const struct engine_request *req,
                      const char *act, const struct snapshelf_item *item,
                      struct err *err)
{
    cJSON *o = describe(item);

    if (req->reason)
        cJSON_AddStringToObject(o, "reason", req->reason);
    return acts_write(e, req, act, o, err);
}

/* --- merge --- */

static enum errc merge(struct engine *e, const struct engine_request *req,
                       struct snapshelf_item *item, size_t *added, struct err *err)
{
    CLEANUP(manifest_free) struct manifest *brought = NULL;
    AUTOFREE char *path = snapshelf_path(e->cfg->data_dir, item->id);

    if (item->withdrawn)
        return err_set(err, ERR_CONFLICT, "snapshot %s was withdrawn", item->id);
    if (manifest_parse(req->document, strlen(req->document), &brought, err))
        return err_wrap(err, "manifest");
    if (manifest_merge(item->manifest, brought, added, err))
        return err->code;
    if (*added == 0)
        return ERR_OK;
    if (note(e, req, "snapshot.merge", item, err))
        return err->code;
    return snapdir_replace_manifest(path, item->manifest, err);
}

enum errc snapshots_merge(struct engine *e, const struct engine_request *req,
                          cJSON **result, struct err *err)
{
    const struct trust_policy *p = &e->policy.rules;
    ITEM item = {.manifest = NULL};
    size_t added = 0;
    cJSON *o;

    if (snapshelf_get(e->cfg->data_dir, req->snapshot, &item, err) ||
        merge(e, req, &item, &added, err))
        return err->code;
    o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", item.id);
    cJSON_AddNumberToObject(o, "added", (double)added);
    cJSON_AddNumberToObject(
        o, "signatures",
        (double)(item.manifest->signature_count + item.manifest->xai_count));
    cJSON_AddNumberToObject(
        o, "trusted",
        (double)manifest_signed(item.manifest, p->keys, p->key_count, NULL));
    cJSON_AddNumberToObject(o, "threshold", (double)p->threshold);
    *result = o;
    log_info("snapshot signatures merged", KV_S("id", item.id), KV_U("added", added));
    return ERR_OK;
}

/* --- withdraw --- */

/* This block's checkpoint is withdrawn, with our signature. */
static struct trust_statement *revocation_of(struct engine *e,
                                             const struct engine_request *req,
                                             const struct manifest *m)
{
    struct trust_statement *s = trust_statement_new(TRUST_REVOCATION, e->cfg->params);

    s->height = m->height;
    memcpy(s->block_hash, m->block_hash, 32);
    memcpy(s->reason, req->reason, strlen(req->reason) + 1); /* at most 200 bytes */
    return s;
}

static enum errc sign(struct engine *e, struct trust_statement *s, struct err *err)
{
    struct trust_signed sig = {.key.alg = TRUST_ED25519};
    uint8_t digest[32];

    trust_statement_digest(s, digest);
    identity_public(e->identity, sig.key.bytes);
    identity_sign(e->identity, digest, sizeof(digest), sig.signature);
    return trust_statement_add(s, &sig, err);
}

static bool trusts_itself(const struct engine *e)
{
    const struct trust_policy *p = &e->policy.rules;
    struct trust_key own = {.alg = TRUST_ED25519};

    identity_public(e->identity, own.bytes);
    for (size_t i = 0; i < p->key_count; i++)
        if (trust_key_compare(&p->keys[i], &own) == 0)
            return true;
    return false;
}

/* One that was signed elsewhere and brought here. */
static enum errc take_brought(struct engine *e, const struct engine_request *req,
                              const struct manifest *m, struct err *err)
{
    CLEANUP(trust_statement_free) struct trust_statement *s = NULL;
    size_t len = strlen(req->document);
    bool fresh;

    if (trust_statement_parse(req->document, len, &s, err))
        return err_wrap(err, "revocation");
    if (s->type != TRUST_REVOCATION || s->height != m->height ||
        memcmp(s->block_hash, m->block_hash, 32) != 0)
        return err_set(err, ERR_INVALID, "revocation: not one of the snapshot's block");
    return statements_take(e, req->document, len, req->actor ? req->actor : "operator",
                           &fresh, err);
}

/* What to sign where the keys are, as no key of this node's counts. */
static void tell_unsigned(const struct trust_statement *s, const char *text, cJSON *o)
{
    cJSON *to_sign = cJSON_AddObjectToObject(o, "to_sign");
    uint8_t digest[32];
    char hex[65];

    trust_statement_digest(s, digest);
    hex_encode(digest, 32, hex);
    cJSON_AddStringToObject(to_sign, "digest", hex);
    cJSON_AddRawToObject(to_sign, "document", text);
}

static enum errc revoke(struct engine *e, const struct engine_request *req,
                        const struct manifest *m, cJSON *o, struct err *err)
{
    CLEANUP(trust_statement_free)
    struct trust_statement *s = revocation_of(e, req, m);
    CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);
    bool ours = trusts_itself(e), fresh;

    if (req->document) {
        if (take_brought(e, req, m, err))
            return err->code;
        cJSON_AddRawToObject(o, "revocation", req->document);
        cJSON_AddNullToObject(o, "to_sign");
        return ERR_OK;
    }
    if (ours && sign(e, s, err))
        return err->code;
    trust_statement_write(s, &text);
    if (!ours) {
        cJSON_AddNullToObject(o, "revocation");
        tell_unsigned(s, text.data, o);
        return ERR_OK;
    }
    cJSON_AddRawToObject(o, "revocation", text.data);
    cJSON_AddNullToObject(o, "to_sign");
    return statements_take(e, text.data, text.len, "this node", &fresh, err);
}

/* What was published says so too; a store that cannot be told now is told later. */
static void unpublish(struct engine *e, const struct engine_request *req)
{
    cJSON *job = NULL;
    struct err err;

    if (snappublish_has_store(e) && snappublish_withdraw(e, req, &job, &err) != ERR_OK)
        log_warn("the store is not told of a withdrawal; call snapshot.unpublish",
                 KV_S("id", req->snapshot), KV_S("detail", err.msg));
    cJSON_Delete(job);
}

/* Served no more, then told: who called and saw an error calls again. */
enum errc snapshots_withdraw(struct engine *e, const struct engine_request *req,
                             cJSON **result, struct err *err)
{
    ITEM item = {.manifest = NULL};
    cJSON *o;

    if (snapshelf_get(e->cfg->data_dir, req->snapshot, &item, err) ||
        note(e, req, "snapshot.withdraw", &item, err) ||
        snapshelf_withdraw(e->cfg->data_dir, req->snapshot, req->reason, clock_now_ms(),
                           err))
        return err->code;
    snapexport_forget(e, item.manifest);
    log_warn("snapshot withdrawn", KV_S("id", item.id), KV_S("reason", req->reason));
    o = describe(&item);
    if (revoke(e, req, item.manifest, o, err)) {
        cJSON_Delete(o);
        return err->code;
    }
    unpublish(e, req);
    *result = o;
    return ERR_OK;
}

/* --- delete --- */

enum errc snapshots_delete(struct engine *e, const struct engine_request *req,
                           cJSON **result, struct err *err)
{
    ITEM item = {.manifest = NULL};

    if (snapshelf_get(e->cfg->data_dir, req->snapshot, &item, err) ||
        note(e, req, "snapshot.delete", &item, err) ||
        snapshelf_remove(e->cfg->data_dir, req->snapshot, err))
        return err->code;
    snapexport_forget(e, item.manifest);
    log_info("snapshot deleted", KV_S("id", item.id));
    *result = describe(&item);
    return ERR_OK;
}
