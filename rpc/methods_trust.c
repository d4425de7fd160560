#include "base/json.h"
#include "base/mem.h"
#include "rpc/methods.h"
#include "rpc/out.h"
#include "sync/trust/trust_statement.h"

/* Whom the node trusts: calls of the engine, which changes and audits it. */

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

METHODS_HANDLER(signers_list)
{
    struct engine_request req = {.op = ENGINE_SIGNERS_LIST};

    (void)p;
    return call(ctx, &req, result, err);
}

METHODS_HANDLER(signers_add)
{
    struct engine_request req = {
        .op = ENGINE_SIGNERS_ADD, .key = p->key, .reason = p->reason};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(signers_remove)
{
    struct engine_request req = {
        .op = ENGINE_SIGNERS_REMOVE, .key = p->key, .reason = p->reason};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(signers_threshold)
{
    struct engine_request req = {.op = ENGINE_SIGNERS_THRESHOLD,
                                 .has_threshold = p->threshold.given,
                                 .threshold = (unsigned)p->threshold.value,
                                 .reason = p->reason};

    return call(ctx, &req, result, err);
}

/* Whoever pastes a certificate may have indented it: it is brought into its one
   spelling, which changes nothing of what was signed. */
METHODS_HANDLER(signers_certificate)
{
    const struct json_limits limits = {
        .max_bytes = TRUST_STATEMENT_MAX, .max_nodes = 1024, .max_depth = 8};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);
    struct engine_request req = {.op = ENGINE_SIGNERS_CERTIFICATE, .reason = p->reason};
    struct err why;

    if (json_parse(p->certificate.at, p->certificate.len, &limits, &doc, &why))
        return err_set(err, ERR_INVALID, "certificate: %.180s", why.msg);
    json_write(json_root(doc), JSON_CANON, &text);
    req.document = text.data;
    return call(ctx, &req, result, err);
}

METHODS_HANDLER(roots_list)
{
    struct engine_request req = {.op = ENGINE_ROOTS_LIST};

    (void)p;
    return call(ctx, &req, result, err);
}

METHODS_HANDLER(roots_add)
{
    struct engine_request req = {.op = ENGINE_ROOTS_ADD,
                                 .height = p->height.value,
                                 .block_hash = p->hash,
                                 .reason = p->reason};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(roots_remove)
{
    struct engine_request req = {
        .op = ENGINE_ROOTS_REMOVE, .height = p->height.value, .reason = p->reason};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(checkpoint_revoke)
{
    struct engine_request req = {.op = ENGINE_REVOKE,
                                 .height = p->height.value,
                                 .block_hash = p->block_hash,
                                 .reason = p->reason};

    return call(ctx, &req, result, err);
}

METHODS_HANDLER(incidents_resolve)
{
    struct engine_request req = {.op = ENGINE_INCIDENTS_RESOLVE,
                                 .incident = (int64_t)p->incident.value,
                                 .choice = methods_choices[p->choice],
                                 .reason = p->reason};

    return call(ctx, &req, result, err);
}
