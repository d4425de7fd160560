#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "sync/core.h"

/* signers.*: who may vouch for a checkpoint.  The rules of how configuration,
   certificates and these changes combine are policy.c's. */

static bool in_set(const struct engine *e, const struct trust_key *key)
{
    const struct trust_policy *cfg = &e->cfg->policy;
    const struct trust_key *keys = cfg->keys;
    size_t n = cfg->key_count;

    if (e->policy.rotates && e->policy.set.sequence > 0) {
        keys = e->policy.set.keys;
        n = e->policy.set.key_count;
    }
    for (size_t i = 0; i < n; i++)
        if (trust_key_equal(&keys[i], key))
            return true;
    return false;
}

/* --- the list --- */

static void add_time(cJSON *o, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT];

    clock_text(ms, text);
    cJSON_AddStringToObject(o, name, text);
}

static const char *set_name(const struct engine *e)
{
    return e->policy.rotates && e->policy.set.sequence > 0 ? "certificate"
                                                           : "configuration";
}

struct listing {
    struct engine *e;
    cJSON *keys, *removed, *certificates;
};

static void add_key(struct listing *l, const struct trust_key *key)
{
    cJSON *o = cJSON_CreateObject();
    char text[TRUST_KEY_TEXT];

    trust_key_text(key, text);
    cJSON_AddStringToObject(o, "key", text);
    cJSON_AddStringToObject(o, "from", in_set(l->e, key) ? set_name(l->e) : "operator");
    cJSON_AddNullToObject(o, "changed_at");
    cJSON_AddNullToObject(o, "actor");
    cJSON_AddNullToObject(o, "reason");
    cJSON_AddItemToArray(l->keys, o);
}

static cJSON *key_entry(const cJSON *keys, const char *text)
{
    cJSON *o = NULL;

    cJSON_ArrayForEach (o, keys)
        if (strcmp(cJSON_GetObjectItemCaseSensitive(o, "key")->valuestring, text) == 0)
            return o;
    return NULL;
}

/* What the operator did to a key, beside the key where it counts. */
static enum errc add_change(void *arg, const struct control_signer *row,
                            struct err *err)
{
    struct listing *l = arg;
    cJSON *o = key_entry(l->keys, row->key);
    char when[CLOCK_TEXT];

    (void)err;
    if (!row->keep) {
        o = cJSON_CreateObject();
        cJSON_AddItemToArray(l->removed, o);
        cJSON_AddStringToObject(o, "key", row->key);
        add_time(o, "changed_at", row->changed_ms);
        cJSON_AddStringToObject(o, "actor", row->actor);
        cJSON_AddStringToObject(o, "reason", row->reason);
    } else if (o) {
        clock_text(row->changed_ms, when);
        cJSON_ReplaceItemInObject(o, "changed_at", cJSON_CreateString(when));
        cJSON_ReplaceItemInObject(o, "actor", cJSON_CreateString(row->actor));
        cJSON_ReplaceItemInObject(o, "reason", cJSON_CreateString(row->reason));
    }
    return ERR_OK;
}

static enum errc add_certificate(void *arg, const struct control_signer_set *row,
                                 struct err *err)
{
    struct listing *l = arg;
    const struct policy *p = &l->e->policy;
    cJSON *o = cJSON_CreateObject();
    char hex[65];

    (void)err;
    cJSON_AddItemToArray(l->certificates, o);
    cJSON_AddNumberToObject(o, "sequence", (double)row->sequence);
    hex_encode(row->first, 32, hex);
    cJSON_AddStringToObject(o, "first", hex);
    cJSON_AddBoolToObject(o, "in_force",
                          p->rotates && memcmp(row->first, p->first, 32) == 0 &&
                              row->sequence == p->set.sequence);
    add_time(o, "applied_at", row->applied_ms);
    cJSON_AddRawToObject(o, "document", row->document);
    return ERR_OK;
}

static void add_set(const struct engine *e, cJSON *o)
{
    uint8_t digest[32];
    char hex[65];

    if (!e->policy.rotates) {
        cJSON_AddNullToObject(o, "sequence");
        cJSON_AddNullToObject(o, "digest");
        return;
    }
    trust_set_digest(&e->policy.set, e->cfg->params, digest);
    hex_encode(digest, 32, hex);
    cJSON_AddNumberToObject(o, "sequence", (double)e->policy.set.sequence);
    cJSON_AddStringToObject(o, "digest", hex);
}

enum errc signers_list(struct engine *e, const struct engine_request *req,
                       cJSON **result, struct err *err)
{
    const struct trust_policy *p = &e->policy.rules;
    cJSON *o = cJSON_CreateObject();
    struct listing l = {.e = e};

    (void)req;
    cJSON_AddNumberToObject(o, "threshold", p->threshold);
    cJSON_AddStringToObject(o, "threshold_from",
                            e->policy.own_threshold ? "operator" : set_name(e));
    cJSON_AddBoolToObject(o, "can_be_met", p->threshold <= p->key_count);
    add_set(e, o);
    l.keys = cJSON_AddArrayToObject(o, "keys");
    l.removed = cJSON_AddArrayToObject(o, "removed");
    l.certificates = cJSON_AddArrayToObject(o, "certificates");
    for (size_t i = 0; i < p->key_count; i++)
        add_key(&l, &p->keys[i]);
    if (control_signer_each(e->control, add_change, &l, err) ||
        control_signer_set_each(e->control, add_certificate, &l, err)) {
        cJSON_Delete(o);
        return err->code;
    }
    *result = o;
    return ERR_OK;
}

/* --- changes --- */

static bool is_trusted(const struct engine *e, const struct trust_key *key)
{
    for (size_t i = 0; i < e->policy.rules.key_count; i++)
        if (trust_key_equal(&e->policy.rules.keys[i], key))
            return true;
    return false;
}

static enum errc put(struct engine *e, const struct engine_request *req, bool keep,
                     struct err *err)
{
    struct control_signer row = {.keep = keep,
                                 .changed_ms = clock_now_ms(),
                                 .actor = req->actor ? req->actor : "operator",
                                 .reason = req->reason};
    char text[TRUST_KEY_TEXT];
    struct trust_key key;

    if (!trust_key_parse(req->key, &key))
        return err_set(err, ERR_INVALID,
                       "key: 33, 64 or 65 bytes of secp256k1 in hex expected, or "
                       "ed25519: and 32 bytes in hex");
    if (is_trusted(e, &key) == keep)
        return err_set(err, ERR_CONFLICT,
                       keep ? "the key is trusted already" : "the key is not trusted");
    if (keep && e->policy.rules.key_count == TRUST_KEYS_MAX)
        return err_set(err, ERR_CONFLICT, "there are %d signers already",
                       TRUST_KEYS_MAX);
    trust_key_text(&key, text);
    row.key = text;
    return control_signer_put(e->control, &row, err);
}

static enum errc put_added(struct engine *e, const struct engine_request *req,
                           struct err *err)
{
    return put(e, req, true, err);
}

static enum errc put_removed(struct engine *e, const struct engine_request *req,
                             struct err *err)
{
    return put(e, req, false, err);
}

static cJSON *key_detail(const struct engine_request *req)
{
    cJSON *detail = cJSON_CreateObject();

    cJSON_AddStringToObject(detail, "key", req->key);
    return detail;
}

enum errc signers_add(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err)
{
    if (ops_change(e, req, "signers.add", key_detail(req), put_added, err))
        return err->code;
    return signers_list(e, req, result, err);
}

enum errc signers_remove(struct engine *e, const struct engine_request *req,
                         cJSON **result, struct err *err)
{
    if (ops_change(e, req, "signers.remove", key_detail(req), put_removed, err))
        return err->code;
    return signers_list(e, req, result, err);
}

/* No threshold: the set's own again. */
static enum errc put_threshold(struct engine *e, const struct engine_request *req,
                               struct err *err)
{
    char text[16] = "";

    if (req->has_threshold)
        (void)snprintf(text, sizeof(text), "%u", req->threshold);
    return control_meta_set(e->control, "signers.threshold", text, err);
}

enum errc signers_threshold(struct engine *e, const struct engine_request *req,
                            cJSON **result, struct err *err)
{
    cJSON *detail = cJSON_CreateObject();

    if (req->has_threshold)
        cJSON_AddNumberToObject(detail, "threshold", req->threshold);
    else
        cJSON_AddNullToObject(detail, "threshold");
    if (ops_change(e, req, "signers.threshold", detail, put_threshold, err))
        return err->code;
    return signers_list(e, req, result, err);
}

/* --- rotation --- */

static enum errc put_certificate(struct engine *e, const struct engine_request *req,
                                 struct err *err)
{
    CLEANUP(trust_statement_free) struct trust_statement *cert = NULL;
    struct control_signer_set row = {.document = req->document,
                                     .applied_ms = clock_now_ms()};
    struct trust_set set = e->policy.set;

    if (trust_statement_parse(req->document, strlen(req->document), &cert, err))
        return err->code;
    if (!e->policy.rotates)
        return err_set(err, ERR_CONFLICT,
                       "the configured signers cannot be followed: no key, or a "
                       "threshold they cannot meet");
    if (trust_set_advance(&set, cert, e->cfg->params, err))
        return err->code;
    memcpy(row.first, e->policy.first, 32);
    row.sequence = set.sequence;
    return control_signer_set_put(e->control, &row, err);
}

enum errc signers_certificate(struct engine *e, const struct engine_request *req,
                              cJSON **result, struct err *err)
{
    cJSON *detail = cJSON_CreateObject(), *document = cJSON_Parse(req->document);

    if (document)
        cJSON_AddItemToObject(detail, "certificate", document);
    if (ops_change(e, req, "signers.certificate", detail, put_certificate, err))
        return err->code;
    return signers_list(e, req, result, err);
}
