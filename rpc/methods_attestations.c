#include "rpc/methods.h"
#include "rpc/out.h"
#include "store/control_trust.h"

/* Who derived which state: what this node heard, and its own word. */

static enum errc add_attestation(void *arg, const struct control_attestation *a,
                                 struct err *err)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddItemToArray(arg, o);
    out_u64(o, "height", a->height);
    out_hash(o, "block_hash", a->block_hash);
    out_hash(o, "state_root", a->state_root);
    out_text(o, "key", a->key);
    cJSON_AddBoolToObject(o, "own", a->own);
    out_text(o, "source", a->source);
    out_time(o, "at", a->at_ms);
    return out_document(o, "document", a->document, err);
}

METHODS_HANDLER(attestations_list)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    const struct control_height_filter filter = {.has_height = p->height.given,
                                                 .height = p->height.value,
                                                 .limit = p->limit.value};
    cJSON *list = cJSON_AddArrayToObject(result, "attestations");

    if (reads_control(ctx->reads, &reader, err))
        return err->code;
    return control_attestation_each(reader->control, &filter, add_attestation, list,
                                    err);
}

METHODS_HANDLER(attestations_make)
{
    const struct engine_request req = {.op = ENGINE_ATTEST, .actor = ctx->actor};
    cJSON *made;

    (void)p;
    if (engine_call(ctx->engine, &req, &made, err))
        return err->code;
    out_adopt(result, made);
    return ERR_OK;
}
