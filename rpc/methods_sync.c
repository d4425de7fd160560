#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rpc/methods.h"
#include "rpc/out.h"
#include "sync/job_fsm.h"

static double round2(double x)
{
    return (double)(int64_t)(x * 100.0 + 0.5) / 100.0;
}

void methods_progress(cJSON *result, const struct engine_progress *s)
{
    cJSON *p = cJSON_AddObjectToObject(result, "progress");
    bool any = s->stage[0] != '\0', total = any && s->total > 0;

    out_text(p, "stage", any ? s->stage : NULL);
    out_u64(p, "done", s->done);
    if (total) {
        double percent = 100.0 * (double)s->done / (double)s->total;

        out_u64(p, "total", s->total);
        cJSON_AddNumberToObject(p, "percent",
                                percent > 100.0 ? 100.0 : round2(percent));
    } else {
        cJSON_AddNullToObject(p, "total");
        cJSON_AddNullToObject(p, "percent");
    }
    out_text(p, "unit", s->unit[0] ? s->unit : NULL);
    cJSON_AddNumberToObject(p, "rate", s->rate < 1e15 ? round2(s->rate) : 0.0);
    if (any && s->eta_seconds >= 0)
        out_u64(p, "eta_seconds", (uint64_t)s->eta_seconds);
    else
        cJSON_AddNullToObject(p, "eta_seconds");
}

static void add_chain(cJSON *result, const struct engine_status *s)
{
    if (s->has_tip) {
        cJSON *tip = cJSON_AddObjectToObject(result, "tip");

        out_u64(tip, "height", s->tip_height);
        out_hash(tip, "block_hash", s->tip_hash);
        out_work(tip, "work", &s->tip_work);
    } else {
        cJSON_AddNullToObject(result, "tip");
    }
    if (s->has_network_height)
        out_u64(result, "network_height", s->network_height);
    else
        cJSON_AddNullToObject(result, "network_height");
    if (s->has_tip && s->has_network_height)
        out_u64(result, "behind",
                s->network_height > s->tip_height ? s->network_height - s->tip_height
                                                  : 0);
    else
        cJSON_AddNullToObject(result, "behind");
}

METHODS_HANDLER(sync_status)
{
    struct engine_status s;

    (void)p;
    (void)err;
    engine_status(ctx->engine, &s);
    out_text(result, "state", engine_state_name(s.state));
    out_text(result, "waiting_for", s.waiting_for[0] ? s.waiting_for : NULL);
    out_job(result, "job_id", s.job_id);
    methods_progress(result, &s.progress);
    add_chain(result, &s);
    if (s.has_checkpoint) {
        cJSON *c = cJSON_AddObjectToObject(result, "checkpoint");

        out_u64(c, "height", s.checkpoint_height);
        out_hash(c, "block_hash", s.checkpoint_hash);
        out_text(c, "trust", s.checkpoint_trust);
    } else {
        cJSON_AddNullToObject(result, "checkpoint");
    }
    out_id(result, "generation", s.generation);
    out_u64(result, "incidents", s.incidents_open);
    out_u64(
        result, "uptime_seconds",
        (uint64_t)(clock_now_ms() > s.started_ms ? clock_now_ms() - s.started_ms : 0) /
            1000);
    return ERR_OK;
}

enum errc methods_source(const struct params *p, struct engine_request *req,
                         char **payload, struct err *err)
{
    if ((p->url != NULL) + (p->path != NULL) + (p->payload.at != NULL) > 1)
        return err_set(err, ERR_INVALID, "url, path, payload: at most one of them");
    req->url = p->url;
    req->path = p->path;
    if (p->payload.at)
        *payload = xstrndup(p->payload.at, p->payload.len);
    req->payload = *payload;
    return ERR_OK;
}

static enum errc start_job(struct rpc_ctx *ctx, enum engine_op op,
                           const struct params *p, cJSON *result, struct err *err)
{
    AUTOFREE char *payload = NULL;
    struct engine_request req = {
        .op = op,
        .has_height = p->height.given,
        .height = p->height.value,
        .block_hash = p->block_hash,
        .full = p->mode >= 0 && strcmp(methods_modes[p->mode], "full") == 0,
        .dry_run = p->dry_run,
        .reason = p->reason,
        .idempotency_key = p->idempotency_key,
        .actor = ctx->actor,
    };
    cJSON *answer;

    if (methods_source(p, &req, &payload, err) ||
        engine_call(ctx->engine, &req, &answer, err))
        return err->code;
    out_adopt(result, answer);
    return ERR_OK;
}

METHODS_HANDLER(sync_start)
{
    return start_job(ctx, ENGINE_SYNC_START, p, result, err);
}

METHODS_HANDLER(sync_rebootstrap)
{
    return start_job(ctx, ENGINE_SYNC_REBOOTSTRAP, p, result, err);
}

METHODS_HANDLER(sync_cancel)
{
    struct engine_request req = {
        .op = ENGINE_SYNC_CANCEL, .job_id = p->job_id, .actor = ctx->actor};
    cJSON *answer;

    if (engine_call(ctx->engine, &req, &answer, err))
        return err->code;
    cJSON_Delete(answer);
    return methods_job(ctx, p->job_id, result, err); /* one shape for a job */
}

METHODS_HANDLER(sync_wait)
{
    bool ended;

    if (!ctx->alone)
        return err_set(err, ERR_INVALID, "sync.wait: call it alone, not in a batch");
    if (reads_job_ended(ctx->reads, p->job_id, &ended, err))
        return err->code;
    if (!ended && ctx->may_wait && p->timeout_ms.value > 0) {
        ctx->wait_job = p->job_id;
        ctx->wait_ms = (int64_t)p->timeout_ms.value;
        return ERR_OK;
    }
    return methods_job(ctx, p->job_id, result, err);
}
