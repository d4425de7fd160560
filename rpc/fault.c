#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "rpc/fault.h"
#include "rpc/jsontext.h"

static const struct {
    int code;
    unsigned http;
    bool retryable;
    const char *message, *reason, *hint;
} faults[] = {
    [FAULT_NONE] = {0, 200, false, "", "", ""},
    [FAULT_PARSE] = {-32700, 200, false, "Parse error", "parse_error",
                     "send one JSON value in UTF-8; the detail names the place"},
    [FAULT_REQUEST] = {-32600, 200, false, "Invalid request", "invalid_request",
                       "send a JSON-RPC 2.0 request object, or an array of 1 to 100"},
    [FAULT_METHOD] = {-32601, 200, false, "Method not found", "method_not_found",
                      "rpc.discover lists the methods"},
    [FAULT_ROLE] = {-32002, 200, false, "Forbidden", "forbidden",
                    "this needs a token with the admin role"},
    [FAULT_ANSWER_TOO_LARGE] = {-32005, 200, true, "Busy", "answer_too_large",
                                "the batch's answers are too large together; send "
                                "fewer calls at once"},
    [FAULT_HOST] = {-32002, 403, false, "Forbidden", "forbidden_host",
                    "call by a loopback name: localhost, 127.0.0.1 or [::1]"},
    [FAULT_ORIGIN] = {-32002, 403, false, "Forbidden", "forbidden_origin",
                      "web pages of other origins may not call this"},
    [FAULT_TOKEN] =
        {-32001, 401, false, "Unauthorized", "unauthorized",
         "send Authorization: Bearer with a configured token, or the one in "
         "rpc.cookie, which changes at every start"},
    [FAULT_RATE] = {-32010, 429, true, "Rate limited", "rate_limited",
                    "too many wrong tokens from this address; take the right one, or "
                    "wait until the minute is over"},
    [FAULT_PATH] = {-32003, 404, false, "Not found", "not_found",
                    "/openapi.yaml lists the paths"},
    [FAULT_VERB] = {-32600, 405, false, "Method not allowed", "method_not_allowed",
                    "use POST for /rpc, GET or HEAD for everything else"},
    [FAULT_MEDIA_TYPE] = {-32600, 415, false, "Unsupported media type",
                          "unsupported_media_type",
                          "send Content-Type: application/json"},
    [FAULT_LENGTH] = {-32600, 411, false, "Length required", "length_required",
                      "send the body with Content-Length, not in chunks"},
    [FAULT_TOO_LARGE] = {-32600, 413, false, "Content too large", "content_too_large",
                         "a request has at most 64 MiB; name a large payload by url or "
                         "path"},
    [FAULT_OVERLOADED] = {-32005, 503, true, "Busy", "busy",
                          "too many large requests at once; try again shortly"},
};

unsigned fault_http_status(enum fault fault)
{
    return faults[fault].http;
}

static cJSON *error_object(int code, const char *message, const char *reason,
                           const char *detail, bool retryable, const char *hint)
{
    AUTOFREE char *clean = jsontext_clean(detail); /* may quote what a caller sent */
    cJSON *error = cJSON_CreateObject(), *data;

    cJSON_AddNumberToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    data = cJSON_AddObjectToObject(error, "data");
    cJSON_AddStringToObject(data, "reason", reason);
    cJSON_AddNullToObject(data, "stage"); /* a job's error has one, an answer none */
    cJSON_AddStringToObject(data, "detail", clean);
    cJSON_AddBoolToObject(data, "retryable", retryable);
    cJSON_AddStringToObject(data, "hint", hint);
    return error;
}

static int errc_code(enum errc code)
{
    switch (code) {
    case ERR_INVALID:
        return -32602;
    case ERR_NOTFOUND:
        return -32003;
    case ERR_CONFLICT:
        return -32004;
    case ERR_BUSY:
        return -32005;
    case ERR_VERIFY:
        return -32006;
    case ERR_NET:
        return -32007;
    case ERR_IO:
        return -32008;
    case ERR_CANCELED:
        return -32009;
    case ERR_OK:
        break;
    }
    return -32603;
}

static const char *code_message(int code)
{
    switch (code) {
    case -32602:
        return "Invalid params";
    case -32003:
        return "Not found";
    case -32004:
        return "Conflict";
    case -32005:
        return "Busy";
    case -32006:
        return "Rejected by trust rules";
    case -32007:
        return "Source failed";
    case -32008:
        return "Storage failed";
    case -32009:
        return "Cancelled";
    default:
        return "Internal error";
    }
}

static bool is_retryable(const struct err *err)
{
    return err->code == ERR_BUSY || err->code == ERR_NET ||
           err->reason == REASON_SHUTTING_DOWN;
}

cJSON *fault_json(enum fault fault, const char *detail)
{
    return error_object(faults[fault].code, faults[fault].message, faults[fault].reason,
                        detail ? detail : faults[fault].message,
                        faults[fault].retryable, faults[fault].hint);
}

cJSON *fault_json_err(const struct err *err)
{
    int code = err->reason == REASON_INTERNAL ? -32603 : errc_code(err->code);

    return error_object(code, code_message(code), reason_code(err->reason), err->msg,
                        is_retryable(err), reason_hint(err->reason));
}

unsigned fault_http_status_err(const struct err *err)
{
    switch (err->code) {
    case ERR_INVALID:
        return 400;
    case ERR_NOTFOUND:
        return 404;
    case ERR_CONFLICT:
        return 409;
    case ERR_BUSY:
    case ERR_CANCELED: /* stopping */
        return 503;
    case ERR_OK:
    case ERR_VERIFY:
    case ERR_NET:
    case ERR_IO:
        break;
    }
    return 500;
}

/* Takes error. */
static char *answer(cJSON *error)
{
    cJSON *o = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(o, "jsonrpc", "2.0");
    cJSON_AddItemToObject(o, "error", error);
    cJSON_AddNullToObject(o, "id");
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return text;
}

char *fault_answer(enum fault fault)
{
    return answer(fault_json(fault, NULL));
}

char *fault_answer_err(const struct err *err)
{
    return answer(fault_json_err(err));
}
