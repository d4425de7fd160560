#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "rpc/jsonrpc.h"
#include "rpc/jsontext.h"

/*
 * Request bodies into the dispatcher, with the real table of methods and one handler
 * for all.  Invariants: what a handler gets is within the limits of every list of
 * parameters; the answer is strict JSON; each response has the id of its request and
 * exactly one of result and error.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { METHODS_MAX = 64 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void require_text(const char *text, size_t max)
{
    require(!text || (strlen(text) >= 1 && strlen(text) <= max));
}

static void require_hash(const char *text)
{
    uint8_t bytes[32];

    require(!text || hex_hash(text, bytes));
}

static enum errc handler(struct rpc_ctx *ctx, const struct params *p, cJSON *result,
                         struct err *err)
{
    struct err why;

    require_text(p->url, 2048);
    require_text(p->path, 4096);
    require_text(p->peer, 2048);
    require_text(p->reason, 500);
    require_text(p->idempotency_key, 128);
    require_hash(p->hash);
    require_hash(p->txid);
    require_hash(p->block_hash);
    require(p->limit.value <= 1000 && p->timeout_ms.value <= 600000);
    require(p->height.value <= PARAM_INT_MAX && p->vout.value <= UINT32_MAX);
    require(p->from.value <= PARAM_INT_MAX && p->count.value <= 2000);
    require(p->job_id >= 0 && p->cursor >= 0 && p->since >= 0);
    require(!p->payload.at || (p->payload.at[0] == '{' &&
                               jsontext_check(p->payload.at, p->payload.len,
                                              JSONRPC_DEPTH_MAX, &why) == ERR_OK));
    (void)ctx;
    if (p->reason)
        return err_set(err, ERR_CONFLICT, "%.5s", p->reason); /* may cut a character */
    cJSON_AddNullToObject(result, "ok");
    return ERR_OK;
}

static void require_response(const cJSON *response)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(response, "error");
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(response, "result");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(response, "id");

    require(cJSON_GetArraySize(response) == 3);
    require((error == NULL) != (result == NULL));
    require(cJSON_IsString(id) || cJSON_IsNumber(id) || cJSON_IsNull(id));
    require(!result || cJSON_IsObject(result));
    if (error) {
        const cJSON *d = cJSON_GetObjectItemCaseSensitive(error, "data");

        require(cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(error, "code")));
        require(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(error, "message")));
        require(cJSON_GetArraySize(d) == 5);
    }
}

/* cJSON's own reading of the request, as a second opinion. */
static void require_id(const uint8_t *data, size_t size, const cJSON *response)
{
    cJSON *request = cJSON_ParseWithLength((const char *)data, size);
    const cJSON *asked = cJSON_GetObjectItemCaseSensitive(request, "id");
    const cJSON *got = cJSON_GetObjectItemCaseSensitive(response, "id");

    /* cJSON reads 1e999 as infinity, which it finds unequal to itself */
    require(cJSON_IsNull(got) || cJSON_Compare(asked, got, true) ||
            (cJSON_IsNumber(asked) && cJSON_IsNumber(got) &&
             asked->valuedouble == got->valuedouble));
    require(!cJSON_HasObjectItem(response, "result") || asked != NULL);
    cJSON_Delete(request);
}

static void require_answer(const uint8_t *data, size_t size, const struct buf *out)
{
    cJSON *answer = cJSON_ParseWithLength(out->data, out->len);
    const cJSON *response = NULL;
    struct err err;

    require(jsontext_check(out->data, out->len, 16, &err) == ERR_OK);
    if (cJSON_IsArray(answer)) {
        require(cJSON_GetArraySize(answer) > 0);
        cJSON_ArrayForEach (response, answer)
            require_response(response);
    } else {
        require_response(answer);
        require_id(data, size, answer);
    }
    cJSON_Delete(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct method methods[METHODS_MAX];
    struct rpc_ctx ctx = {.methods = methods, .role = RPC_ROLE_ADMIN};
    struct buf CLEANUP_BUF out = BUF(JSONRPC_ANSWER_MAX);
    /* exactly as long as it is, so that the sanitizer sees a read past it */
    char *body = malloc(size + 1);

    if (!body)
        return 0;
    if (!methods[0].name) {
        size_t n = 0;

        for (const struct method *m = methods_table(); m->name; m++, n++) {
            require(n < METHODS_MAX - 1);
            methods[n] = *m;
            methods[n].call = handler;
        }
    }
    memcpy(body + 1, data, size);
    require(jsonrpc_answer(&ctx, (struct span){body + 1, size}, &out) ==
            JSONRPC_ANSWERED);
    if (out.len > 0)
        require_answer(data, size, &out);
    free(body);
    return 0;
}
