#include "rpc/methods.h"
#include "rpc/out.h"

/* What is in force: the rules for checkpoints, the generations of the state. */
METHODS_HANDLER(policy_get)
{
    const struct engine_request req = {.op = ENGINE_POLICY_GET};
    cJSON *policy;

    (void)p;
    if (engine_call(ctx->engine, &req, &policy, err))
        return err->code;
    out_adopt(result, policy);
    return ERR_OK;
}

static const char *state_name(enum control_generation_state state)
{
    switch (state) {
    case CONTROL_GEN_BUILDING:
        return "building";
    case CONTROL_GEN_LIVE:
        return "live";
    case CONTROL_GEN_RETIRED:
        return "retired";
    case CONTROL_GEN_QUARANTINED:
        return "quarantined";
    case CONTROL_GEN_FAILED:
        return "failed";
    }
    return NULL;
}

static enum errc add_generation(void *arg, const struct control_generation *g,
                                struct err *err)
{
    bool based = g->activated_ms != 0; /* else its base was never complete */
    cJSON *o = cJSON_CreateObject();

    (void)err;
    cJSON_AddItemToArray(arg, o);
    out_id(o, "generation", g->id);
    out_text(o, "state", state_name(g->state));
    if (based)
        out_u64(o, "height", g->height);
    else
        cJSON_AddNullToObject(o, "height");
    out_hash(o, "block_hash", based ? g->block_hash : NULL);
    out_hash(o, "state_root", based ? g->state_root : NULL);
    out_id(o, "checkpoint_id", g->checkpoint_id);
    out_time(o, "created_at", g->created_ms);
    out_time(o, "activated_at", g->activated_ms);
    return ERR_OK;
}

METHODS_HANDLER(generations_list)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    cJSON *list = cJSON_AddArrayToObject(result, "generations");

    (void)p;
    if (reads_control(ctx->reads, &reader, err))
        return err->code;
    return control_generation_each(reader->control, add_generation, list, err);
}
