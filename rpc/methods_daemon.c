#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "rpc/embedded.h"
#include "rpc/jsonpart.h"
#include "rpc/methods.h"
#include "rpc/out.h"

METHODS_HANDLER(daemon_info)
{
    struct engine_status status;
    cJSON *build;

    (void)p;
    engine_status(ctx->engine, &status);
    out_text(result, "version", CAIRN_VERSION);
    out_text(result, "network", ctx->cfg->params->network);
    out_hash(result, "genesis_hash", ctx->cfg->params->genesis_hash);
    out_text(result, "data_dir", ctx->cfg->data_dir);
    out_time(result, "started_at", status.started_ms);
    out_u64(result, "uptime_seconds",
            (uint64_t)(clock_now_ms() > status.started_ms
                           ? clock_now_ms() - status.started_ms
                           : 0) /
                1000);
    out_u64(result, "pid", (uint64_t)getpid());
    build = cJSON_AddObjectToObject(result, "build");
    out_text(build, "compiler", __VERSION__);
#ifdef NDEBUG
    cJSON_AddBoolToObject(build, "assertions", false);
#else
    cJSON_AddBoolToObject(build, "assertions", true);
#endif
    return out_document(result, "configuration", ctx->cfg->config_json, err);
}

METHODS_HANDLER(daemon_stop)
{
    struct engine_request req = {
        .op = ENGINE_NOTE_ACT, .reason = "daemon.stop", .actor = ctx->actor};
    cJSON *answer = NULL;

    (void)p;
    if (engine_call(ctx->engine, &req, &answer, err))
        log_warn("not in the audit log, stopping all the same", KV_S("act", req.reason),
                 KV_S("actor", ctx->actor), KV_S("detail", err->msg));
    cJSON_Delete(answer);
    ctx->stop = true; /* once this answer is on its way */
    cJSON_AddBoolToObject(result, "stopping", true);
    return ERR_OK;
}

METHODS_HANDLER(rpc_discover)
{
    struct span text = {(const char *)openrpc_doc, openrpc_doc_len}, value;
    cJSON *doc = cJSON_ParseWithLength(text.at, text.len);
    const cJSON *member = NULL;

    (void)ctx;
    (void)p;
    /* As it is spelled: cJSON would round the largest integers. */
    cJSON_ArrayForEach (member, doc) {
        AUTOFREE char *raw = NULL;

        if (!jsonpart_member(text, member->string, &value))
            break;
        raw = xstrndup(value.at, value.len);
        cJSON_AddRawToObject(result, member->string, raw);
    }
    cJSON_Delete(doc);
    if (!result->child)
        return err_fail(err, REASON_INTERNAL,
                        "the built-in OpenRPC document is broken");
    return ERR_OK;
}
