#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/jsonrpc.h"
#include "tests/unit/test.h"

/* The dispatcher with methods of our own. */
static struct params last;
static char *last_payload;
static unsigned calls;

static enum errc echo(struct rpc_ctx *ctx, const struct params *p, cJSON *result,
                      struct err *err)
{
    (void)ctx;
    (void)err;
    calls++;
    last = *p;
    free(last_payload);
    last_payload = p->payload.at ? xstrndup(p->payload.at, p->payload.len) : NULL;
    cJSON_AddBoolToObject(result, "alone", ctx->alone);
    return ERR_OK;
}

static enum errc fail_with(struct rpc_ctx *ctx, const struct params *p, cJSON *result,
                           struct err *err)
{
    (void)ctx;
    cJSON_AddStringToObject(result, "half", "done");
    switch (p->height.value) {
    case 0:
        return err_fail(err, REASON_NO_QUORUM, "1 of 3");
    case 1:
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "x");
    case 2:
        return err_fail(err, REASON_STORAGE_FAILED, "x");
    case 3:
        return err_fail(err, REASON_NOT_FOUND, "x");
    case 4:
        return err_fail(err, REASON_CONFLICT, "x");
    case 5:
        return err_fail(err, REASON_BUSY, "x");
    case 6:
        return err_fail(err, REASON_CANCELLED, "x");
    case 7:
        return err_fail(err, REASON_SHUTTING_DOWN, "x");
    case 8:
        return err_fail(err, REASON_INTERNAL, "x");
    default:
        return err_set(err, ERR_INVALID, "quoted: \xff\"");
    }
}

static enum errc wait_for(struct rpc_ctx *ctx, const struct params *p, cJSON *result,
                          struct err *err)
{
    (void)result;
    (void)p;
    if (!ctx->alone)
        return err_set(err, ERR_INVALID, "alone");
    if (ctx->may_wait) {
        ctx->wait_job = 7;
        ctx->wait_ms = 99;
    } else {
        cJSON_AddBoolToObject(result, "waited", true);
    }
    return ERR_OK;
}

static enum errc stop(struct rpc_ctx *ctx, const struct params *p, cJSON *result,
                      struct err *err)
{
    (void)p;
    (void)result;
    (void)err;
    ctx->stop = true;
    return ERR_OK;
}

static enum errc fill(struct rpc_ctx *ctx, const struct params *p, cJSON *result,
                      struct err *err)
{
    char *text = xcalloc(1, p->limit.value + 1);

    (void)ctx;
    (void)err;
    memset(text, 'x', p->limit.value);
    cJSON_AddStringToObject(result, "text", text);
    free(text);
    return ERR_OK;
}

#define FIELD(name) #name, .offset = offsetof(struct params, name)
static const struct param_spec none[] = {{0}};
static const struct param_spec source[] = {
    {FIELD(height), .type = PARAM_INT, .max = 100},
    {FIELD(payload), .type = PARAM_OBJECT},
    {FIELD(url), .type = PARAM_STRING, .admin = true, .max = 100},
    {0},
};
static const struct param_spec length[] = {
    {FIELD(limit), .type = PARAM_INT, .max = PARAM_INT_MAX},
    {0},
};
static const struct method methods[] = {
    {"echo", RPC_ROLE_READ, source, echo, "", false},
    {"fail", RPC_ROLE_READ, source, fail_with, "", false},
    {"wait", RPC_ROLE_READ, none, wait_for, "", false},
    {"slow", RPC_ROLE_READ, none, echo, "", true},
    {"stop", RPC_ROLE_ADMIN, none, stop, "", false},
    {"fill", RPC_ROLE_READ, length, fill, "", false},
    {0},
};

static struct rpc_ctx ctx;
static struct buf out;

static void set_up(void)
{
    ctx = (struct rpc_ctx){.methods = methods, .role = RPC_ROLE_ADMIN};
    out = BUF(JSONRPC_ANSWER_MAX);
    calls = 0;
}

static void tear_down(void)
{
    buf_fini(&out);
    free(last_payload);
    last_payload = NULL;
}

static enum jsonrpc_outcome ask(const char *text)
{
    buf_reset(&out);
    return jsonrpc_answer(&ctx, (struct span){text, strlen(text)}, &out);
}

static const char *answer(const char *text)
{
    ck_assert_int_eq(ask(text), JSONRPC_ANSWERED);
    return out.len > 0 ? out.data : "";
}

/* The answer is an error of this code and reason, for this id. */
static void assert_error(const char *text, int code, const char *reason, const char *id)
{
    cJSON *json = cJSON_Parse(answer(text));
    const cJSON *error = cJSON_GetObjectItem(json, "error");
    const cJSON *data = cJSON_GetObjectItem(error, "data");
    char *got_id = cJSON_PrintUnformatted(cJSON_GetObjectItem(json, "id"));

    ck_assert_msg(json, "%s", text);
    ck_assert_msg(cJSON_GetObjectItem(error, "code")->valuedouble == code, "%s: %s",
                  text, out.data);
    ck_assert_str_eq(cJSON_GetObjectItem(data, "reason")->valuestring, reason);
    ck_assert_str_eq(got_id, id);
    ck_assert_ptr_null(cJSON_GetObjectItem(json, "result"));
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(data, "stage")));
    ck_assert(cJSON_IsString(cJSON_GetObjectItem(data, "detail")));
    ck_assert(cJSON_IsString(cJSON_GetObjectItem(data, "hint")));
    ck_assert(cJSON_IsBool(cJSON_GetObjectItem(data, "retryable")));
    ck_assert_int_eq(cJSON_GetArraySize(json), 3);
    free(got_id);
    cJSON_Delete(json);
}

#define REQ(rest) "{\"jsonrpc\":\"2.0\"," rest "}"
#define OK(id)    "{\"jsonrpc\":\"2.0\",\"result\":{\"alone\":true},\"id\":" id "}"

START_TEST(an_id_comes_back_as_it_was_spelled)
{
    static const char *const ids[] = {
        "1",   "-2.50", "1e3", "18446744073709551617", "null", "\"a\\u00e9\\\"b\"",
        "\"\""};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[200], want[200];

        (void)snprintf(text, sizeof(text), REQ("\"id\" : %s ,\"method\":\"echo\""),
                       ids[i]);
        (void)snprintf(want, sizeof(want), OK("%s"), ids[i]);
        ck_assert_str_eq(answer(text), want);
    }
}
END_TEST

START_TEST(protocol_faults_have_their_codes)
{
    assert_error("", -32700, "parse_error", "null");
    assert_error("{\"jsonrpc\":\"2.0\",\"id\":1", -32700, "parse_error", "null");
    assert_error(REQ("\"id\":1,\"method\":\"echo\xff\""), -32700, "parse_error",
                 "null");
    assert_error("1", -32600, "invalid_request", "null");
    assert_error("[]", -32600, "invalid_request", "null");
    assert_error("{}", -32600, "invalid_request", "null");
    assert_error("{\"id\":5}", -32600, "invalid_request", "5");
    assert_error("{\"id\":5,\"method\":\"echo\"}", -32600, "invalid_request", "5");
    assert_error("{\"id\":5,\"jsonrpc\":\"1.0\",\"method\":\"echo\"}", -32600,
                 "invalid_request", "5");
    assert_error("{\"id\":5,\"jsonrpc\":2.0,\"method\":\"echo\"}", -32600,
                 "invalid_request", "5");
    assert_error(REQ("\"id\":5,\"method\":1"), -32600, "invalid_request", "5");
    assert_error(REQ("\"id\":{},\"method\":\"echo\""), -32600, "invalid_request",
                 "null");
    assert_error(REQ("\"id\":true,\"method\":\"echo\""), -32600, "invalid_request",
                 "null");
    assert_error(REQ("\"id\":5,\"id\":6,\"method\":\"echo\""), -32600,
                 "invalid_request", "5");
    assert_error(
        REQ("\"id\":5,\"method\":\"echo\",\"params\":{\"height\":1,\"height\":2}"),
        -32600, "invalid_request", "5");
    assert_error(REQ("\"id\":5,\"method\":\"ech\""), -32601, "method_not_found", "5");
    assert_error(REQ("\"id\":5,\"method\":\"\""), -32601, "method_not_found", "5");
    assert_error(REQ("\"id\":5,\"method\":\"echo\",\"params\":[1]"), -32602, "invalid",
                 "5");
    assert_error(REQ("\"id\":5,\"method\":\"echo\",\"params\":null"), -32602, "invalid",
                 "5");
    assert_error(REQ("\"id\":5,\"method\":\"echo\",\"params\":{\"height\":101}"),
                 -32602, "invalid", "5");
    ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(each_error_has_its_code)
{
    static const struct {
        int code;
        const char *reason;
        bool retryable;
    } want[] = {
        {-32006, "no_quorum", false},      {-32007, "source_unreachable", true},
        {-32008, "storage_failed", false}, {-32003, "not_found", false},
        {-32004, "conflict", false},       {-32005, "busy", true},
        {-32009, "cancelled", false},      {-32009, "shutting_down", true},
        {-32603, "internal", false},       {-32602, "invalid", false},
    };

    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        char text[120];

        (void)snprintf(text, sizeof(text),
                       REQ("\"id\":1,\"method\":\"fail\",\"params\":{\"height\":%zu}"),
                       i);
        assert_error(text, want[i].code, want[i].reason, "1");
        ck_assert_msg(strstr(out.data, want[i].retryable ? "\"retryable\":true"
                                                         : "\"retryable\":false"),
                      "%s", out.data);
    }
    ck_assert_ptr_nonnull(strstr(out.data, "\"detail\":\"quoted: ?\\\"\""));
}
END_TEST

START_TEST(a_notification_is_done_and_not_answered)
{
    ck_assert_str_eq(answer(REQ("\"method\":\"echo\"")), "");
    ck_assert_uint_eq(calls, 1);
    ck_assert_str_eq(answer(REQ("\"method\":\"fail\"")), "");
    ck_assert_str_eq(answer(REQ("\"method\":\"none\"")), "");
    ck_assert_str_eq(answer("[" REQ("\"method\":\"echo\"") "]"), "");
    ck_assert_uint_eq(calls, 2);
    ctx.may_wait = true; /* nobody is there to hear when the wait ends */
    ck_assert_str_eq(answer(REQ("\"method\":\"wait\"")), "");
}
END_TEST

START_TEST(a_batch_is_answered_in_order)
{
    ck_assert_str_eq(
        answer(" [" REQ("\"id\":1,\"method\":\"echo\"") ", " REQ(
            "\"method\":\"echo\"") ",1," REQ("\"id\":\"b\",\"method\":\"echo\"") "] "),
        "[{\"jsonrpc\":\"2.0\",\"result\":{\"alone\":false},\"id\":1},"
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid request\","
        "\"data\":{\"reason\":\"invalid_request\",\"stage\":null,\"detail\":\"object "
        "expected\",\"retryable\":false,\"hint\":\"send a JSON-RPC 2.0 request object, or "
        "an array of 1 to 100\"}},\"id\":null},"
        "{\"jsonrpc\":\"2.0\",\"result\":{\"alone\":false},\"id\":\"b\"}]");
    ck_assert_uint_eq(calls, 3);
}
END_TEST

START_TEST(a_batch_has_at_most_a_hundred)
{
    struct buf batch = BUF(1 << 20);

    for (int n = 1; n <= 101; n++) {
        buf_puts(&batch, n == 1 ? "[" : ",");
        buf_puts(&batch, REQ("\"method\":\"echo\""));
        if (n == 100) {
            char *hundred = xasprintf("%s]", batch.data);

            ck_assert_str_eq(answer(hundred), "");
            ck_assert_uint_eq(calls, 100);
            free(hundred);
        }
    }
    buf_puts(&batch, "]");
    assert_error(batch.data, -32600, "invalid_request", "null");
    ck_assert_uint_eq(calls, 100);
    buf_fini(&batch);
}
END_TEST

START_TEST(a_payload_is_handed_on_as_it_was_spelled)
{
    answer(
        REQ("\"id\":1,\"params\":{\"height\":4,\"payload\": {\"a\" : [12.0, 12],\"a\":"
            "\"}\"} },\"method\":\"echo\""));
    ck_assert_str_eq(last_payload, "{\"a\" : [12.0, 12],\"a\":\"}\"}");
    ck_assert_uint_eq(last.height.value, 4);
    answer(REQ("\"id\":1,\"par\\u0061ms\":{\"p\\u0061yload\":{\"x\":1.0}},\"method\":"
               "\"echo\""));
    ck_assert_str_eq(last_payload, "{\"x\":1.0}");
    assert_error(REQ("\"id\":1,\"method\":\"echo\",\"params\":{\"payload\":[1]}"),
                 -32602, "invalid", "1");
}
END_TEST

START_TEST(only_a_payload_may_be_large)
{
    size_t size = JSONRPC_REQUEST_MAX + 1;
    char *filler = xcalloc(1, size + 1), *text;

    memset(filler, 'x', size);
    text = xasprintf(
        REQ("\"id\":1,\"method\":\"echo\",\"params\":{\"payload\":{\"a\":\"%s\"}}"),
        filler);
    ck_assert_str_eq(answer(text), OK("1"));
    ck_assert_uint_eq(strlen(last_payload), size + 8);
    free(text);
    text = xasprintf(REQ("\"id\":1,\"method\":\"echo\",\"params\":{\"url\":\"%s\"}"),
                     filler);
    assert_error(text, -32600, "invalid_request", "1");
    free(text);
    filler[300] = '\0';
    text = xasprintf(REQ("\"id\":\"%s\",\"method\":\"echo\""), filler);
    assert_error(text, -32600, "invalid_request", "null");
    free(text);
    free(filler);
}
END_TEST

START_TEST(the_role_decides)
{
    ctx.role = RPC_ROLE_READ;
    assert_error(REQ("\"id\":1,\"method\":\"stop\""), -32002, "forbidden", "1");
    ck_assert(!ctx.stop);
    assert_error(REQ("\"id\":1,\"method\":\"echo\",\"params\":{\"url\":\"u\"}"), -32002,
                 "forbidden", "1");
    ck_assert_uint_eq(calls, 0);
    ck_assert_str_eq(answer(REQ("\"id\":1,\"method\":\"echo\"")), OK("1"));
    ctx.role = RPC_ROLE_ADMIN;
    ck_assert_str_eq(
        answer(REQ("\"id\":1,\"method\":\"echo\",\"params\":{\"url\":\"u\"}")),
        OK("1"));
    answer(REQ("\"id\":1,\"method\":\"stop\""));
    ck_assert(ctx.stop);
}
END_TEST

START_TEST(a_call_may_wait_only_alone)
{
    static const char text[] = REQ("\"id\":1,\"method\":\"wait\"");

    ctx.may_wait = true;
    ck_assert_int_eq(ask(text), JSONRPC_WAIT);
    ck_assert_uint_eq(out.len, 0);
    ck_assert_int_eq(ctx.wait_job, 7);
    ck_assert_int_eq(ctx.wait_ms, 99);
    set_up();
    ck_assert_str_eq(answer(text),
                     "{\"jsonrpc\":\"2.0\",\"result\":{\"waited\":true},\"id\":1}");
    ctx.may_wait = true;
    ck_assert_int_eq(ask("[" REQ("\"id\":1,\"method\":\"wait\"") "]"),
                     JSONRPC_ANSWERED);
    ck_assert_ptr_nonnull(strstr(out.data, "\"detail\":\"alone\""));
}
END_TEST

START_TEST(what_takes_long_is_deferred_untouched)
{
    char *text = xcalloc(1, JSONRPC_QUICK_MAX + 2);

    ctx.may_defer = true;
    ck_assert_int_eq(ask(REQ("\"id\":1,\"method\":\"slow\"")), JSONRPC_DEFER);
    ck_assert_int_eq(ask("[" REQ("\"id\":1,\"method\":\"echo\"") "]"), JSONRPC_DEFER);
    memset(text, ' ', JSONRPC_QUICK_MAX + 1);
    ck_assert_int_eq(ask(text), JSONRPC_DEFER);
    ck_assert_uint_eq(calls, 0);
    ck_assert_str_eq(answer(REQ("\"id\":1,\"method\":\"echo\"")), OK("1"));
    ctx.may_defer = false;
    ck_assert_str_eq(answer(REQ("\"id\":1,\"method\":\"slow\"")), OK("1"));
    free(text);
}
END_TEST

START_TEST(answers_are_bounded)
{
    cJSON *batch;

    assert_error(REQ("\"id\":1,\"method\":\"fill\",\"params\":{\"limit\":67108864}"),
                 -32005, "answer_too_large", "1");
    /* the first is near what all may have, the second has no room, the third little */
    answer("[" REQ("\"id\":1,\"method\":\"fill\",\"params\":{\"limit\":60000000}") "," REQ(
        "\"id\":2,\"method\":\"fill\",\"params\":{\"limit\":600000}") "," REQ("\"id\":3,\"method\":\"fill\",\"params\":{\"limit\":600}") "]");
    batch = cJSON_Parse(out.data);
    ck_assert_int_eq(cJSON_GetArraySize(batch), 3);
    ck_assert(cJSON_HasObjectItem(cJSON_GetArrayItem(batch, 0), "result"));
    ck_assert(cJSON_HasObjectItem(cJSON_GetArrayItem(batch, 1), "error"));
    ck_assert(cJSON_HasObjectItem(cJSON_GetArrayItem(batch, 2), "result"));
    cJSON_Delete(batch);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("jsonrpc");
    TCase *t = tcase_create("jsonrpc");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, an_id_comes_back_as_it_was_spelled);
    tcase_add_test(t, protocol_faults_have_their_codes);
    tcase_add_test(t, each_error_has_its_code);
    tcase_add_test(t, a_notification_is_done_and_not_answered);
    tcase_add_test(t, a_batch_is_answered_in_order);
    tcase_add_test(t, a_batch_has_at_most_a_hundred);
    tcase_add_test(t, a_payload_is_handed_on_as_it_was_spelled);
    tcase_add_test(t, only_a_payload_may_be_large);
    tcase_add_test(t, the_role_decides);
    tcase_add_test(t, a_call_may_wait_only_alone);
    tcase_add_test(t, what_takes_long_is_deferred_untouched);
    tcase_add_test(t, answers_are_bounded);
    suite_add_tcase(s, t);
    return s;
}
