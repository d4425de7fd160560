#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "sync/core.h"

/* roots.*: blocks that every accepted history contains.  Those of the configuration
   stand; the operator adds others. */

static bool is_configured(const struct engine *e, uint64_t height)
{
    for (size_t i = 0; i < e->cfg->policy.root_count; i++)
        if (e->cfg->policy.roots[i].height == height)
            return true;
    return false;
}

static cJSON *entry(uint64_t height, const uint8_t hash[32], const char *from)
{
    cJSON *o = cJSON_CreateObject();
    char hex[65];

    hex_encode(hash, 32, hex);
    cJSON_AddNumberToObject(o, "height", (double)height);
    cJSON_AddStringToObject(o, "hash", hex);
    cJSON_AddStringToObject(o, "from", from);
    return o;
}

static enum errc add_own(void *arg, const struct control_root *row, struct err *err)
{
    cJSON *o = entry(row->height, row->hash, "operator");
    char when[CLOCK_TEXT];

    (void)err;
    clock_text(row->added_ms, when);
    cJSON_AddStringToObject(o, "added_at", when);
    cJSON_AddStringToObject(o, "actor", row->actor);
    cJSON_AddStringToObject(o, "reason", row->reason);
    cJSON_AddItemToArray(arg, o);
    return ERR_OK;
}

static void add_fixed(cJSON *list, uint64_t height, const uint8_t hash[32],
                      const char *from)
{
    cJSON *o = entry(height, hash, from);

    cJSON_AddNullToObject(o, "added_at");
    cJSON_AddNullToObject(o, "actor");
    cJSON_AddNullToObject(o, "reason");
    cJSON_AddItemToArray(list, o);
}

enum errc roots_list(struct engine *e, const struct engine_request *req, cJSON **result,
                     struct err *err)
{
    cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "roots");

    (void)req;
    add_fixed(list, 0, e->cfg->params->genesis_hash, "built-in");
    for (size_t i = 0; i < e->cfg->policy.root_count; i++)
        add_fixed(list, e->cfg->policy.roots[i].height, e->cfg->policy.roots[i].hash,
                  "configuration");
    if (control_root_each(e->control, add_own, list, err)) {
        cJSON_Delete(o);
        return err->code;
    }
    *result = o;
    return ERR_OK;
}

/* A root that our own validated chain contradicts is a mistake, or bad news; either way
   not one to pin in passing. */
static enum errc check_own_chain(struct engine *e, const struct control_root *r,
                                 struct err *err)
{
    struct chaindb_header row;
    bool found = false;

    if (e->live.state && chaindb_active_at(e->live.db, r->height, &found, &row, err))
        return err->code;
    if (found && memcmp(row.hash, r->hash, 32) != 0)
        return err_set(err, ERR_CONFLICT,
                       "this node's own chain has another block at height %" PRIu64,
                       r->height);
    return ERR_OK;
}

static enum errc put(struct engine *e, const struct engine_request *req,
                     struct err *err)
{
    struct control_root r = {.height = req->height,
                             .added_ms = clock_now_ms(),
                             .actor = req->actor ? req->actor : "operator",
                             .reason = req->reason};

    (void)hex_hash(req->block_hash, r.hash); /* was checked as a parameter */
    if (req->height == 0 || is_configured(e, req->height))
        return err_set(err, ERR_CONFLICT,
                       "the root at height %" PRIu64 " is built in or configured",
                       req->height);
    if (e->policy.rules.root_count == TRUST_ROOTS_MAX)
        return err_set(err, ERR_CONFLICT, "there are %d roots already",
                       TRUST_ROOTS_MAX);
    if (check_own_chain(e, &r, err))
        return err->code;
    return control_root_put(e->control, &r, err);
}

static enum errc remove_one(struct engine *e, const struct engine_request *req,
                            struct err *err)
{
    if (req->height == 0 || is_configured(e, req->height))
        return err_set(err, ERR_CONFLICT,
                       "the root at height %" PRIu64 " is built in or configured",
                       req->height);
    return control_root_remove(e->control, req->height, err);
}

enum errc roots_add(struct engine *e, const struct engine_request *req, cJSON **result,
                    struct err *err)
{
    cJSON *detail = cJSON_CreateObject();

    cJSON_AddNumberToObject(detail, "height", (double)req->height);
    cJSON_AddStringToObject(detail, "hash", req->block_hash);
    if (ops_change(e, req, "roots.add", detail, put, err))
        return err->code;
    return roots_list(e, req, result, err);
}

enum errc roots_remove(struct engine *e, const struct engine_request *req,
                       cJSON **result, struct err *err)
{
    cJSON *detail = cJSON_CreateObject();

    cJSON_AddNumberToObject(detail, "height", (double)req->height);
    if (ops_change(e, req, "roots.remove", detail, remove_one, err))
        return err->code;
    return roots_list(e, req, result, err);
}
