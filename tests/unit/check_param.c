#include <stddef.h>
#include <string.h>

#include "rpc/param.h"
#include "tests/unit/test.h"

struct target {
    struct param_int n;
    const char *s, *h;
    bool b;
    int e;
    int64_t t, j, c;
    struct span o;
};

static const char *const colours[] = {"red", "green", NULL};

static const struct param_spec spec[] = {
    {"n", PARAM_INT, .offset = offsetof(struct target, n), .min = 3, .max = 99,
     .initial = 7},
    {"s", PARAM_STRING, .offset = offsetof(struct target, s), .min = 1, .max = 4},
    {"h", PARAM_HASH, .offset = offsetof(struct target, h)},
    {"b", PARAM_BOOL, .offset = offsetof(struct target, b)},
    {"e", PARAM_ENUM, .offset = offsetof(struct target, e), .names = colours},
    {"t", PARAM_TIME, .offset = offsetof(struct target, t)},
    {"j", PARAM_JOB, .offset = offsetof(struct target, j)},
    {"c", PARAM_CURSOR, .offset = offsetof(struct target, c)},
    {"o", PARAM_OBJECT, .offset = offsetof(struct target, o)},
    {0},
};

static const struct param_spec big[] = {
    {"n", PARAM_INT, .required = true, .offset = offsetof(struct target, n),
     .max = PARAM_INT_MAX},
    {0},
};

static cJSON *tree;

static void drop_tree(void)
{
    cJSON_Delete(tree);
    tree = NULL;
}

static enum errc parse(const struct param_spec *fields, const char *text,
                       struct target *t, struct err *err)
{
    drop_tree();
    tree = text ? cJSON_Parse(text) : NULL;
    *t = (struct target){0};
    return param_parse(fields, tree, (struct span){text, text ? strlen(text) : 0}, t,
                       err);
}

START_TEST(absent_fields_keep_their_initial_values)
{
    struct target t;

    ASSERT_OK(parse(spec, NULL, &t, &test_err));
    ck_assert(!t.n.given);
    ck_assert_uint_eq(t.n.value, 7);
    ck_assert_ptr_null(t.s);
    ck_assert_int_eq(t.e, -1);
    ck_assert_ptr_null(t.o.at);
    ASSERT_OK(parse(spec, "{}", &t, &test_err));
    ck_assert_uint_eq(t.n.value, 7);
}
END_TEST

#define HASH "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff"

START_TEST(every_type_is_read)
{
    struct target t;

    ASSERT_OK(
        parse(spec,
              "{\"n\":99,\"s\":\"abcd\",\"h\":\"" HASH
              "\",\"b\":true,\"e\":\"green\",\"t\":\"2026-11-22T09:00:00.250Z\","
              "\"j\":\"job-7\",\"c\":\"123456789012345678\",\"o\": {\"x\": 12.0} }",
              &t, &test_err));
    ck_assert(t.n.given);
    ck_assert_uint_eq(t.n.value, 99);
    ck_assert_str_eq(t.s, "abcd");
    ck_assert_str_eq(t.h, HASH);
    ck_assert(t.b);
    ck_assert_int_eq(t.e, 1);
    ck_assert_int_eq(t.t, 1795338000250);
    ck_assert_int_eq(t.j, 7);
    ck_assert_int_eq(t.c, 123456789012345678);
    ck_assert_uint_eq(t.o.len, 11);
    ck_assert_mem_eq(t.o.at, "{\"x\": 12.0}", 11);
    ASSERT_OK(parse(spec, "{\"t\":\"1970-01-01T00:00:00Z\",\"n\":3.0}", &t, &test_err));
    ck_assert_int_eq(t.t, 0);
    ck_assert_uint_eq(t.n.value, 3);
    ASSERT_OK(parse(big, "{\"n\":9007199254740991}", &t, &test_err));
    ck_assert_uint_eq(t.n.value, 9007199254740991U);
    drop_tree();
}
END_TEST

START_TEST(a_wrong_value_is_refused_and_the_field_named)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"[]", "params: object expected, fields by name"},
        {"{\"x\":1}", "x: unknown field"},
        {"{\"N\":5}", "N: unknown field"},
        {"{\"n\":2}", "n: integer 3..99 expected"},
        {"{\"n\":100}", "n: integer 3..99 expected"},
        {"{\"n\":-5}", "n: integer 3..99 expected"},
        {"{\"n\":5.5}", "n: integer 3..99 expected"},
        {"{\"n\":1e300}", "n: integer 3..99 expected"},
        {"{\"n\":\"5\"}", "n: integer 3..99 expected"},
        {"{\"n\":null}", "n: integer 3..99 expected"},
        {"{\"n\":true}", "n: integer 3..99 expected"},
        {"{\"s\":\"\"}", "s: string of 1..4 bytes expected"},
        {"{\"s\":\"abcde\"}", "s: string of 1..4 bytes expected"},
        {"{\"s\":1}", "s: string expected"},
        {"{\"s\":[\"a\"]}", "s: string expected"},
        {"{\"h\":\"00\"}", "h: 64 lower-case hex digits expected"},
        {"{\"h\":\"00FF00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff\"}",
         "h: 64 lower-case hex digits expected"},
        {"{\"h\":\"" HASH "0\"}", "h: 64 lower-case hex digits expected"},
        {"{\"b\":1}", "b: boolean expected"},
        {"{\"b\":\"true\"}", "b: boolean expected"},
        {"{\"e\":\"blue\"}", "e: red, green expected"},
        {"{\"e\":0}", "e: string expected"},
        {"{\"t\":\"2026-11-22\"}", "t: time like 2026-11-22T09:00:00.000Z expected"},
        {"{\"t\":\"2026-02-30T00:00:00.000Z\"}",
         "t: time like 2026-11-22T09:00:00.000Z expected"},
        {"{\"t\":\"2026-11-22T24:00:00.000Z\"}",
         "t: time like 2026-11-22T09:00:00.000Z expected"},
        {"{\"t\":\"2026-11-22T09:00:00+01:00\"}",
         "t: time like 2026-11-22T09:00:00.000Z expected"},
        {"{\"t\":\"1969-12-31T23:59:59Z\"}",
         "t: time like 2026-11-22T09:00:00.000Z expected"},
        {"{\"j\":\"7\"}", "j: \"job-<number>\" expected"},
        {"{\"j\":\"job-\"}", "j: \"job-<number>\" expected"},
        {"{\"j\":\"job-0\"}", "j: \"job-<number>\" expected"},
        {"{\"j\":\"job-07\"}", "j: \"job-<number>\" expected"},
        {"{\"j\":\"job--7\"}", "j: \"job-<number>\" expected"},
        {"{\"j\":\"job-7x\"}", "j: \"job-<number>\" expected"},
        {"{\"j\":\"job-1234567890123456789\"}", "j: \"job-<number>\" expected"},
        {"{\"c\":\"\"}", "c: a list's next expected"},
        {"{\"c\":\"x\"}", "c: a list's next expected"},
        {"{\"c\":5}", "c: string expected"},
        {"{\"o\":[]}", "o: object expected"},
        {"{\"o\":\"{}\"}", "o: object expected"},
    };
    struct target t;
    struct err err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(parse(spec, cases[i].text, &t, &err) == ERR_INVALID, "%s",
                      cases[i].text);
        ck_assert_str_eq(err.msg, cases[i].why);
        ck_assert_int_eq(err.reason, REASON_INVALID);
    }
    ASSERT_ERR(ERR_INVALID, parse(big, "{}", &t, &err));
    ck_assert_str_eq(err.msg, "n: required");
    ASSERT_ERR(ERR_INVALID, parse(big, NULL, &t, &err));
    ck_assert_str_eq(err.msg, "n: required");
    ASSERT_ERR(ERR_INVALID, parse(big, "{\"n\":9007199254740992}", &t, &err));
    ASSERT_ERR(ERR_INVALID, parse(big, "{\"n\":18446744073709551616}", &t, &err));
    drop_tree();
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("param");
    TCase *t = tcase_create("param");

    tcase_add_test(t, absent_fields_keep_their_initial_values);
    tcase_add_test(t, every_type_is_read);
    tcase_add_test(t, a_wrong_value_is_refused_and_the_field_named);
    suite_add_tcase(s, t);
    return s;
}
