#include "rpc/methods.h"
#include "rpc/out.h"
#include "sync/snapshot/manifest.h"

static void add_checkpoint(const struct control_checkpoint *k, cJSON *o)
{
    out_id(o, "checkpoint_id", k->id);
    out_u64(o, "height", k->height);
    out_hash(o, "block_hash", k->block_hash);
    out_hash(o, "state_root", k->state_root);
    out_text(o, "state_hash", k->state_hash);
    out_work_bytes(o, "work", k->work);
    out_text(o, "source", k->source);
    out_text(o, "trust", k->trust);
    out_id(o, "generation", k->generation);
    out_job(o, "job_id", k->job_id);
    out_time(o, "accepted_at", k->accepted_ms);
}

struct page {
    cJSON *list;
    size_t room;
    bool more;
    int64_t last;
};

static enum errc add_to_page(void *arg, const struct control_checkpoint *k,
                             struct err *err)
{
    struct page *page = arg;
    cJSON *o;

    (void)err;
    if (page->room == 0) {
        page->more = true;
        return ERR_OK;
    }
    page->room--;
    page->last = k->id;
    o = cJSON_CreateObject();
    cJSON_AddItemToArray(page->list, o);
    add_checkpoint(k, o);
    return ERR_OK;
}

METHODS_HANDLER(checkpoint_list)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct page page = {.room = p->limit.value};

    page.list = cJSON_AddArrayToObject(result, "checkpoints");
    if (reads_control(ctx->reads, &reader, err) ||
        control_checkpoint_each(reader->control, p->cursor, p->limit.value + 1,
                                add_to_page, &page, err))
        return err->code;
    out_cursor(result, "next", page.more ? page.last : 0);
    return ERR_OK;
}

METHODS_HANDLER(checkpoint_provenance)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    __attribute__((cleanup(control_checkpoint_fini))) struct control_checkpoint k = {0};

    if (p->height.given == p->checkpoint_id.given)
        return err_set(err, ERR_INVALID, "height, checkpoint_id: one of them expected");
    if (reads_control(ctx->reads, &reader, err))
        return err->code;
    if (p->height.given
            ? control_checkpoint_at(reader->control, p->height.value, &k, err)
            : control_checkpoint_get(reader->control, (int64_t)p->checkpoint_id.value,
                                     &k, err))
        return err->code;
    add_checkpoint(&k, result);
    return out_document(result, "provenance", k.provenance, err);
}

METHODS_HANDLER(checkpoint_evaluate)
{
    AUTOFREE char *payload = NULL;
    CLEANUP_BUF struct buf manifest = BUF(MANIFEST_MAX);
    struct engine_request req = {.op = ENGINE_EVALUATE};
    cJSON *verdict;

    if (p->manifest.at) {
        if (methods_canonical("manifest", &p->manifest, &manifest, err))
            return err->code;
        req.document = manifest.data;
    }
    if (methods_source(p, &req, &payload, err) ||
        engine_call(ctx->engine, &req, &verdict, err))
        return err->code;
    out_adopt(result, verdict);
    return ERR_OK;
}

METHODS_HANDLER(checkpoint_candidates)
{
    struct engine_request req = {.op = ENGINE_CANDIDATES};
    cJSON *answer;

    (void)p;
    if (engine_call(ctx->engine, &req, &answer, err))
        return err->code;
    out_adopt(result, answer);
    return ERR_OK;
}
