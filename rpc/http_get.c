#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "rpc/api.h"
#include "rpc/audit_export.h"
#include "rpc/embedded.h"
#include "rpc/etag.h"
#include "rpc/http_impl.h"

/* What is read over plain HTTP. */
enum { EXPORT_PIECE = 64 << 10, QUERY_MAX = 16 };

static enum MHD_Result send_kept(struct request *r, const char *type, char *text,
                                 size_t len)
{
    const char *known =
        MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "If-None-Match");
    char etag[ETAG_TEXT];
    struct http_body body = {MHD_HTTP_OK, type, text, len, etag};

    etag_of(text, len, etag);
    if (etag_matches(known, etag)) {
        body.status = MHD_HTTP_NOT_MODIFIED;
        body.len = 0;
    }
    return http_answer_body(r, &body);
}

enum MHD_Result http_get_openapi(struct request *r)
{
    return send_kept(r, "application/yaml",
                     xstrndup((const char *)openapi_doc, openapi_doc_len),
                     openapi_doc_len);
}

struct query {
    cJSON *values;
    const char *bad; /* what is wrong with it, NULL: nothing */
};

static enum MHD_Result add_value(void *cls, enum MHD_ValueKind kind, const char *key,
                                 const char *value)
{
    struct query *q = cls;

    (void)kind;
    if (cJSON_GetArraySize(q->values) == QUERY_MAX)
        q->bad = "the query has too many fields";
    else if (cJSON_GetObjectItemCaseSensitive(q->values, key))
        q->bad = "a name stands twice in the query";
    else
        cJSON_AddStringToObject(q->values, key, value ? value : "");
    return q->bad ? MHD_NO : MHD_YES;
}

enum MHD_Result http_get_api(struct request *r)
{
    struct query q = {.values = cJSON_CreateObject()};
    struct rpc_ctx ctx = http_answer_context(r);
    char *text = NULL;
    struct err err;

    (void)MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, add_value,
                                    &q);
    if (q.bad)
        (void)err_set(&err, ERR_INVALID, "%s", q.bad);
    else
        (void)api_answer(&ctx, r->admitted.method, q.values, &text, &err);
    cJSON_Delete(q.values);
    if (!text)
        return http_answer_error(r, &err);
    return send_kept(r, "application/json", text, strlen(text));
}

/* libmicrohttpd asks for the next piece when the last one is on its way. */
static ssize_t read_export(void *cls, uint64_t pos, char *out, size_t room)
{
    struct err err;
    size_t len;

    (void)pos;
    if (audit_export_read(cls, out, room, &len, &err)) {
        log_error("the audit log cannot be exported",
                  KV_S("reason", reason_code(err.reason)), KV_S("detail", err.msg));
        return MHD_CONTENT_READER_END_WITH_ERROR; /* cut off: nobody takes it as whole
                                                   */
    }
    return len > 0 ? (ssize_t)len : MHD_CONTENT_READER_END_OF_STREAM;
}

static void end_export(void *cls)
{
    audit_export_free(cls);
}

enum MHD_Result http_get_audit(struct request *r)
{
    struct audit_export *x;
    struct MHD_Response *response;
    enum MHD_Result rc;
    struct err err;

    if (audit_export_open(r->http->cfg.ctx.reads, &x, &err))
        return http_answer_error(r, &err);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EXPORT_PIECE,
                                                 read_export, x, end_export);
    if (!response) {
        audit_export_free(x);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "application/x-ndjson");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    rc = MHD_queue_response(r->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return rc;
}
