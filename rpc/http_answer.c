#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "rpc/http_impl.h"
#include "rpc/jsonrpc.h"
#include "rpc/out.h"

enum { METRICS_MAX = 1 << 20 };

static void add_headers(const struct request *r, struct MHD_Response *response,
                        const char *etag)
{
    char seconds[12];

    MHD_add_response_header(response, "Cache-Control", etag ? "no-cache" : "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (etag)
        MHD_add_response_header(response, "ETag", etag);
    if (r->refused == FAULT_TOKEN)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (r->refused == FAULT_VERB)
        MHD_add_response_header(response, "Allow",
                                r->admitted.path == ADMIT_RPC ? "POST" : "GET, HEAD");
    if (r->refused == FAULT_OVERLOADED)
        MHD_add_response_header(response, "Retry-After", "1");
    if (r->refused == FAULT_RATE) {
        (void)snprintf(seconds, sizeof(seconds), "%u",
                       throttle_seconds_left(clock_mono_ms()));
        MHD_add_response_header(response, "Retry-After", seconds);
    }
}

enum MHD_Result http_answer_body(struct request *r, const struct http_body *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->text, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result rc;

    if (!response) {
        free(body->text);
        return MHD_NO;
    }
    if (body->len > 0)
        MHD_add_response_header(response, "Content-Type", body->type);
    add_headers(r, response, body->etag);
    rc = MHD_queue_response(r->connection, body->status, response);
    MHD_destroy_response(response);
    return rc;
}

/* Takes text. */
static enum MHD_Result send_text(struct request *r, unsigned status, char *text)
{
    return http_answer_body(
        r, &(struct http_body){status, "application/json", text, strlen(text), NULL});
}

static enum MHD_Result send_json(struct request *r, unsigned status, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    cJSON_Delete(json);
    return send_text(r, status, text);
}

enum MHD_Result http_answer_refusal(struct request *r)
{
    unsigned status = fault_http_status(r->refused);

    metrics_add(METRIC_HTTP_REFUSED, 1);
    if (r->refused == FAULT_RATE)
        metrics_add(METRIC_HTTP_LIMITED, 1);
    log_debug("http request refused", KV_U("status", status));
    return send_text(r, status, fault_answer(r->refused));
}

enum MHD_Result http_answer_error(struct request *r, const struct err *err)
{
    return send_text(r, fault_http_status_err(err), fault_answer_err(err));
}

static enum MHD_Result send_health(struct request *r)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddBoolToObject(json, "ok", true);
    return send_json(r, MHD_HTTP_OK, json);
}

static enum MHD_Result send_ready(struct request *r)
{
    cJSON *json = cJSON_CreateObject();
    struct engine_status s;

    engine_status(r->http->cfg.ctx.engine, &s);
    cJSON_AddBoolToObject(json, "ready", s.ready);
    out_text(json, "state", engine_state_name(s.state));
    out_text(json, "why", s.ready ? NULL : s.ready_why);
    return send_json(r, s.ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, json);
}

static enum MHD_Result send_metrics(struct request *r)
{
    struct buf CLEANUP_BUF text = BUF(METRICS_MAX);
    size_t len;

    metrics_write(&text);
    len = text.len;
    return http_answer_body(
        r, &(struct http_body){MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                               buf_take(&text), len, NULL});
}

/* On the waiting thread: the call is made again, on its own. */
static void wait_done(struct wait_item *item)
{
    struct request *r = (struct request *)item;

    MHD_resume_connection(r->connection);
}

static enum MHD_Result suspend(struct request *r, const struct rpc_ctx *ctx)
{
    r->waited = true;
    r->wait = (struct wait_item){
        .job_id = ctx->wait_job,
        .until_mono_ms = clock_mono_ms() + ctx->wait_ms,
        .done = wait_done,
    };
    MHD_suspend_connection(r->connection);
    if (!waits_add(r->http->cfg.waits, &r->wait)) /* stopping: answered as it is */
        MHD_resume_connection(r->connection);
    return MHD_YES;
}

struct rpc_ctx http_answer_context(const struct request *r)
{
    struct rpc_ctx ctx = r->http->cfg.ctx;

    ctx.role = r->admitted.caller.role;
    ctx.actor = r->admitted.caller.name;
    return ctx;
}

static enum jsonrpc_outcome run_call(struct request *r, struct rpc_ctx *ctx)
{
    struct span body = {r->body.data ? r->body.data : "", r->body.len};
    enum jsonrpc_outcome outcome;

    r->answer = BUF(JSONRPC_ANSWER_MAX);
    outcome = jsonrpc_answer(ctx, body, &r->answer);
    r->stop = ctx->stop;
    return outcome;
}

/* On a thread for slow calls. */
static void run_slow(struct slow_item *item)
{
    struct request *r =
        (struct request *)(void *)((char *)item - offsetof(struct request, slow));
    struct rpc_ctx ctx = http_answer_context(r);

    (void)run_call(r, &ctx); /* may neither wait nor defer: answered */
    MHD_resume_connection(r->connection);
}

static enum MHD_Result defer(struct request *r)
{
    r->deferred = true;
    r->slow.run = run_slow;
    MHD_suspend_connection(r->connection);
    if (!slow_add(r->http->slow,
                  &r->slow)) /* stopping: nobody else needs this thread */
        run_slow(&r->slow);
    return MHD_YES;
}

static enum MHD_Result send_answer(struct request *r)
{
    size_t len = r->answer.len;

    if (len == 0) /* notifications only */
        return send_text(r, MHD_HTTP_NO_CONTENT, xstrdup(""));
    return http_answer_body(r, &(struct http_body){MHD_HTTP_OK, "application/json",
                                                   buf_take(&r->answer), len, NULL});
}

static enum MHD_Result call(struct request *r)
{
    struct rpc_ctx ctx = http_answer_context(r);

    if (r->deferred)
        return send_answer(r);
    ctx.may_wait = !r->waited;
    ctx.may_defer = true;
    switch (run_call(r, &ctx)) {
    case JSONRPC_ANSWERED:
        return send_answer(r);
    case JSONRPC_WAIT:
        return suspend(r, &ctx);
    case JSONRPC_DEFER:
        return defer(r);
    }
    return MHD_NO;
}

enum MHD_Result http_answer(struct request *r)
{
    if (r->refused != FAULT_NONE)
        return http_answer_refusal(r);
    switch (r->admitted.path) {
    case ADMIT_RPC:
        return call(r);
    case ADMIT_HEALTHZ:
        return send_health(r);
    case ADMIT_READYZ:
        return send_ready(r);
    case ADMIT_METRICS:
        return send_metrics(r);
    case ADMIT_OPENAPI:
        return http_get_openapi(r);
    case ADMIT_AUDIT:
        return http_get_audit(r);
    case ADMIT_API:
        return http_get_api(r);
    }
    return MHD_NO;
}
