#include "rpc/methods.h"
#include "rpc/out.h"

static enum errc call(struct rpc_ctx *ctx, enum engine_op op, const struct params *p,
                      cJSON *result, struct err *err)
{
    struct engine_request req = {.op = op,
                                 .peer = p->peer,
                                 .reason = p->reason,
                                 .ban_seconds = p->seconds.value,
                                 .actor = ctx->actor};
    cJSON *answer;

    if (engine_call(ctx->engine, &req, &answer, err))
        return err->code;
    out_adopt(result, answer);
    return ERR_OK;
}

METHODS_HANDLER(peers_list)
{
    return call(ctx, ENGINE_PEERS_LIST, p, result, err);
}

METHODS_HANDLER(peers_add)
{
    return call(ctx, ENGINE_PEERS_ADD, p, result, err);
}

METHODS_HANDLER(peers_remove)
{
    return call(ctx, ENGINE_PEERS_REMOVE, p, result, err);
}

METHODS_HANDLER(peers_ban)
{
    return call(ctx, ENGINE_PEERS_BAN, p, result, err);
}

METHODS_HANDLER(peers_unban)
{
    return call(ctx, ENGINE_PEERS_UNBAN, p, result, err);
}
