#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "rpc/fault.h"
#include "rpc/jsonpart.h"
#include "rpc/jsonrpc.h"
#include "rpc/jsontext.h"

/* Of a batch: what its answers may be together, and each of those after that. */
enum {
    ROOM_FOR_ONE = 1 << 16,
    ROOM_FOR_ALL = JSONRPC_ANSWER_MAX - (JSONRPC_BATCH_MAX + 1) * ROOM_FOR_ONE
};

static void json_delete(cJSON *json)
{
    cJSON_Delete(json);
}
DEFINE_CLEANUP(cJSON, json_delete)

/* One request object, as far as it was understood. */
struct request {
    struct span id; /* as spelled; at NULL: a notification */
    struct span params;
    cJSON *tree; /* without what an inline payload holds */
    const struct method *method;
};

static void request_fini(struct request *r)
{
    cJSON_Delete(r->tree);
}

/* Takes error or result.  id.at NULL: null. */
static void put_answer(struct span id, const char *member, cJSON *value,
                       struct buf *out)
{
    AUTOFREE char *id_text = id.at ? xstrndup(id.at, id.len) : xstrdup("null");
    CLEANUP(json_delete) cJSON *answer = cJSON_CreateObject();
    AUTOFREE char *text = NULL;

    cJSON_AddStringToObject(answer, "jsonrpc", "2.0");
    cJSON_AddItemToObject(answer, member, value);
    cJSON_AddRawToObject(answer, "id", id_text);
    text = cJSON_PrintUnformatted(answer);
    buf_puts(out, text);
}

static void put_error(struct span id, cJSON *error, struct buf *out)
{
    metrics_add(METRIC_RPC_ERRORS, 1);
    put_answer(id, "error", error, out);
}

static void put_fault(struct span id, enum fault fault, const char *detail,
                      struct buf *out)
{
    put_error(id, fault_json(fault, detail), out);
}

/* Strings, numbers and null, and only so long: it is sent back. */
static bool is_id(struct span id)
{
    return id.len <= JSONRPC_ID_MAX && !strchr("{[tf", id.at[0]);
}

/* cJSON's tree of the request with {} in the place of an object params.payload. */
static const char *parse_tree(struct span text, struct request *r)
{
    struct buf CLEANUP_BUF cut = BUF(JSONRPC_REQUEST_MAX);
    struct span payload;
    const char *end = text.at + text.len;

    if (jsonpart_member(text, "params", &r->params) &&
        jsonpart_member(r->params, "payload", &payload) && payload.at[0] == '{') {
        const char *after = payload.at + payload.len;

        buf_put(&cut, text.at, (size_t)(payload.at - text.at));
        buf_puts(&cut, "{}");
        buf_put(&cut, after, (size_t)(end - after));
    } else {
        buf_put(&cut, text.at, text.len);
    }
    if (cut.full)
        return "too large; only params.payload may be over 1 MiB";
    r->tree = cJSON_ParseWithLength(cut.data, cut.len);
    return r->tree ? NULL : "a number is too long";
}

static const char *read_request(struct span text, struct request *r)
{
    const cJSON *version;
    const char *wrong;

    if (text.at[0] != '{')
        return "object expected";
    if (jsonpart_member(text, "id", &r->id) && !is_id(r->id)) {
        r->id.at = NULL;
        return "id: string, number or null of at most 256 bytes expected";
    }
    wrong = parse_tree(text, r);
    if (wrong)
        return wrong;
    if (jsonpart_duplicate(r->tree))
        return "a member name stands twice in one object";
    version = cJSON_GetObjectItemCaseSensitive(r->tree, "jsonrpc");
    if (!cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0)
        return "jsonrpc: \"2.0\" expected";
    if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(r->tree, "method")))
        return "method: string expected";
    return NULL;
}

static void log_failure(const struct method *m, const struct err *err)
{
    if (err->code == ERR_IO)
        log_error("rpc call failed", KV_S("method", m->name),
                  KV_S("reason", reason_code(err->reason)), KV_S("detail", err->msg));
    else
        log_debug("rpc call refused", KV_S("method", m->name),
                  KV_S("reason", reason_code(err->reason)), KV_S("detail", err->msg));
}

static bool may_call(const struct rpc_ctx *ctx, const struct method *m,
                     const cJSON *params)
{
    bool needs_admin = m->role == RPC_ROLE_ADMIN;

    for (const struct param_spec *p = m->params; p->name; p++)
        if (p->admin && cJSON_GetObjectItemCaseSensitive(params, p->name))
            needs_admin = true;
    return !needs_admin || ctx->role == RPC_ROLE_ADMIN;
}

static enum jsonrpc_outcome run_method(struct rpc_ctx *ctx, const struct request *r,
                                       struct buf *out)
{
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(r->tree, "params");
    CLEANUP(json_delete) cJSON *result = cJSON_CreateObject();
    struct params params = {0};
    struct err err = {0};

    if (!may_call(ctx, r->method, given)) {
        put_fault(r->id, FAULT_ROLE, NULL, out);
        return JSONRPC_ANSWERED;
    }
    if (r->method->slow && ctx->may_defer)
        return JSONRPC_DEFER;
    if (param_parse(r->method->params, given, r->params, &params, &err) == ERR_OK &&
        r->method->call(ctx, &params, result, &err) == ERR_OK) {
        if (ctx->wait_job != 0)
            return JSONRPC_WAIT;
        put_answer(r->id, "result", TAKE(result), out);
        return JSONRPC_ANSWERED;
    }
    log_failure(r->method, &err);
    put_error(r->id, fault_json_err(&err), out);
    return JSONRPC_ANSWERED;
}

static enum jsonrpc_outcome answer_call(struct rpc_ctx *ctx, struct request *r,
                                        struct buf *out)
{
    struct buf nowhere = BUF(0); /* a notification's answer */
    struct buf *to = r->id.at ? out : &nowhere;

    r->method = methods_find(
        ctx->methods, cJSON_GetObjectItemCaseSensitive(r->tree, "method")->valuestring);
    if (r->method)
        return run_method(ctx, r, to);
    put_fault(r->id, FAULT_METHOD, NULL, to);
    return JSONRPC_ANSWERED;
}

/* One request, in at most room bytes. */
static enum jsonrpc_outcome answer_one(struct rpc_ctx *ctx, struct span text,
                                       size_t room, struct buf *out)
{
    enum jsonrpc_outcome outcome = JSONRPC_ANSWERED;
    __attribute__((cleanup(request_fini))) struct request r = {0};
    struct rpc_ctx call = *ctx;
    const char *wrong = read_request(text, &r);

    call.may_wait = ctx->may_wait && r.id.at;
    if (wrong)
        put_fault(r.id, FAULT_REQUEST, wrong, out);
    else
        outcome = answer_call(&call, &r, out);
    if (outcome != JSONRPC_ANSWERED) {
        ctx->wait_job = call.wait_job;
        ctx->wait_ms = call.wait_ms;
        return outcome;
    }
    if (out->full || out->len > room) {
        buf_reset(out);
        put_fault(r.id, FAULT_ANSWER_TOO_LARGE, NULL, out);
    }
    ctx->stop = call.stop;
    metrics_add(METRIC_RPC_REQUESTS, 1);
    return JSONRPC_ANSWERED;
}

static void answer_batch(struct rpc_ctx *ctx, struct span array, struct buf *out)
{
    struct span element = {0};
    size_t count = 0;

    while (count <= JSONRPC_BATCH_MAX && jsonpart_next(array, &element))
        count++;
    if (count == 0 || count > JSONRPC_BATCH_MAX) {
        put_fault((struct span){0}, FAULT_REQUEST, "a batch has 1 to 100 requests",
                  out);
        return;
    }
    ctx->alone = false; /* so that nobody waits */
    element = (struct span){0};
    while (jsonpart_next(array, &element)) {
        struct buf CLEANUP_BUF one = BUF(JSONRPC_ANSWER_MAX);
        size_t room = out->len < ROOM_FOR_ALL ? ROOM_FOR_ALL - out->len : ROOM_FOR_ONE;

        (void)answer_one(ctx, element, room, &one);
        if (one.len == 0)
            continue; /* a notification */
        buf_puts(out, out->len == 0 ? "[" : ",");
        buf_put(out, one.data, one.len);
    }
    if (out->len > 0)
        buf_puts(out, "]");
}

enum jsonrpc_outcome jsonrpc_answer(struct rpc_ctx *ctx, struct span body,
                                    struct buf *out)
{
    struct err err;

    if (ctx->may_defer && body.len > JSONRPC_QUICK_MAX)
        return JSONRPC_DEFER;
    if (jsontext_check(body.at, body.len, JSONRPC_DEPTH_MAX, &err)) {
        put_fault((struct span){0}, FAULT_PARSE, err.msg, out);
        metrics_add(METRIC_RPC_REQUESTS, 1);
        return JSONRPC_ANSWERED;
    }
    body = jsonpart_trim(body);
    ctx->alone = body.at[0] != '[';
    if (ctx->alone)
        return answer_one(ctx, body, JSONRPC_ANSWER_MAX, out);
    if (ctx->may_defer)
        return JSONRPC_DEFER;
    answer_batch(ctx, body, out);
    return JSONRPC_ANSWERED;
}
