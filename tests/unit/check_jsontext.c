#include <string.h>

#include "rpc/jsonpart.h"
#include "rpc/jsontext.h"
#include "tests/unit/test.h"

static struct span text(const char *s)
{
    return (struct span){s, strlen(s)};
}

static enum errc check(const char *s, struct err *err)
{
    return jsontext_check(s, strlen(s), 4, err);
}

START_TEST(json_is_accepted)
{
    static const char *const good[] = {
        "{}",
        " [ ] ",
        "0",
        "-0",
        "-12.50e+3",
        "1E5",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\\u00e9\\n\\/\\\\\"",
        "\"\\ud83d\\ude00\"",
        "\"\xf0\x9f\x98\x80\"",
        "\"\x7f\"",
        "{\"a\":[1,{\"b\":null}],\"c\":\"\"}",
        "[[[[]]]]",
        "[[],[],[],[],[],{},{\"a\":[[]]}]",
        "\t\r\n1\n",
        "\"\xed\x9f\xbf\"",
        "\"\xee\x80\x80\"",
        "\"\xf4\x8f\xbf\xbf\"",
    };
    struct err err;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(check(good[i], &err) == ERR_OK, "%s: %s", good[i], err.msg);
}
END_TEST

START_TEST(what_is_no_json_is_refused_and_the_byte_named)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "byte 0: value expected"},
        {" ", "byte 1: value expected"},
        {"{", "byte 1: member name expected"},
        {"{\"a\"}", "byte 4: ':' expected"},
        {"{\"a\":1,}", "byte 7: member name expected"},
        {"{a:1}", "byte 1: member name expected"},
        {"[1,]", "byte 3: bad value or number"},
        {"[1 2]", "byte 3: ',' or end expected"},
        {"[1", "byte 2: ',' or end expected"},
        {"[1}", "byte 2: ',' or end expected"},
        {"1 1", "byte 2: bytes after the value"},
        {"01", "byte 1: bytes after the value"},
        {"+1", "byte 0: bad value or number"},
        {"-", "byte 1: bad value or number"},
        {"1.", "byte 2: bad value or number"},
        {".5", "byte 0: bad value or number"},
        {"1e", "byte 2: bad value or number"},
        {"NaN", "byte 0: bad value or number"},
        {"nul", "byte 0: unknown word"},
        {"True", "byte 0: bad value or number"},
        {"\"a", "byte 2: unended string"},
        {"\"a\\", "byte 3: unended string"},
        {"\"\n\"", "byte 1: control character in a string"},
        {"\"\\x\"", "byte 2: bad escape"},
        {"\"\\u12g4\"", "byte 3: bad \\u escape"},
        {"\"\\u12", "byte 3: bad \\u escape"},
        {"\"\\u0000\"", "byte 3: NUL in a string"},
        {"\"\\udc00\"", "byte 7: lone surrogate"},
        {"\"\\ud800\"", "byte 7: lone surrogate"},
        {"\"\\ud800\\u0041\"", "byte 7: lone surrogate"},
        {"\"\x80\"", "byte 1: invalid UTF-8"},
        {"\"\xc0\xaf\"", "byte 1: invalid UTF-8"},
        {"\"\xe0\x80\x80\"", "byte 1: invalid UTF-8"},
        {"\"\xed\xa0\x80\"", "byte 1: invalid UTF-8"},
        {"\"\xf4\x90\x80\x80\"", "byte 1: invalid UTF-8"},
        {"\"\xe2\x82", "byte 1: invalid UTF-8"},
        {"[[[[[]]]]]", "byte 4: nested too deep"},
        {"{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}", "byte 20: nested too deep"},
        {"'a'", "byte 0: bad value or number"},
        {"\xef\xbb\xbf{}", "byte 0: bad value or number"},
        {"// c\n1", "byte 0: bad value or number"},
    };
    struct err err;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(check(bad[i].text, &err) == ERR_INVALID, "%s", bad[i].text);
        ck_assert_str_eq(err.msg, bad[i].why);
    }
}
END_TEST

START_TEST(a_nul_byte_is_no_end)
{
    struct err err;

    ck_assert_int_eq(jsontext_check("1\0 ", 3, 4, &err), ERR_INVALID);
    ck_assert_int_eq(jsontext_check("\"\0\"", 3, 4, &err), ERR_INVALID);
}
END_TEST

START_TEST(deep_nesting_costs_no_stack)
{
    static char deep[1 << 20];
    struct err err;

    memset(deep, '[', sizeof(deep));
    ck_assert_int_eq(jsontext_check(deep, sizeof(deep), 64, &err), ERR_INVALID);
    ck_assert_str_eq(err.msg, "byte 64: nested too deep");
}
END_TEST

static void assert_member(const char *object, const char *name, const char *want)
{
    struct span value;

    if (!want) {
        ck_assert(!jsonpart_member(text(object), name, &value));
        return;
    }
    ck_assert_msg(jsonpart_member(text(object), name, &value), "%s", object);
    ck_assert_uint_eq(value.len, strlen(want));
    ck_assert_mem_eq(value.at, want, value.len);
}

START_TEST(a_member_is_found_as_it_was_spelled)
{
    assert_member("{\"a\": 12.0 , \"b\":2}", "a", "12.0");
    assert_member(" { \"x\" : {\"p\":1} , \"p\" : [ 1, 2 ] } ", "p", "[ 1, 2 ]");
    assert_member("{\"q\":\"}\\\"p\\\":1\",\"p\":3}", "p", "3");
    assert_member("{\"\\u0070\\/\":4}", "p/", "4");
    assert_member("{\"pa\":1,\"\":2,\"p\":3}", "p", "3");
    assert_member("{\"p\":1,\"p\":2}", "p", "1");
    assert_member("{}", "p", NULL);
    assert_member("[\"p\"]", "p", NULL);
    assert_member("\"p\"", "p", NULL);
    assert_member("{\"\\u0170\":1,\"p\\u0001\":1}", "p", NULL);
    assert_member("{\"\xc5\xb0\":1}", "p", NULL);
}
END_TEST

START_TEST(elements_come_in_order)
{
    struct span array = text(" [ 1 , {\"a\":[2]},\"x,\" ] "), e = {0};
    static const char *const want[] = {"1", "{\"a\":[2]}", "\"x,\""};

    for (size_t i = 0; i < 3; i++) {
        ck_assert(jsonpart_next(array, &e));
        ck_assert_uint_eq(e.len, strlen(want[i]));
        ck_assert_mem_eq(e.at, want[i], e.len);
    }
    ck_assert(!jsonpart_next(array, &e));
    e = (struct span){0};
    ck_assert(!jsonpart_next(text("[ ]"), &e));
}
END_TEST

START_TEST(a_name_twice_is_found_at_any_depth)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"{\"a\":1,\"b\":2}", NULL},
        {"{\"a\":{\"a\":1},\"b\":{\"a\":2}}", NULL},
        {"[{\"a\":1},{\"a\":1}]", NULL},
        {"{\"b\":1,\"a\":1,\"b\":2}", "b"},
        {"{\"b\":1,\"\\u0062\":2}", "b"},
        {"[0,{\"x\":{\"y\":[{\"k\":1,\"k\":1}]}}]", "k"},
        {"3", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cJSON *tree = cJSON_Parse(cases[i].text);
        const char *found = jsonpart_duplicate(tree);

        if (cases[i].name)
            ck_assert_pstr_eq(found, cases[i].name);
        else
            ck_assert_ptr_null(found);
        cJSON_Delete(tree);
    }
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_replaced)
{
    static const struct {
        const char *dirty, *clean;
    } cases[] = {
        {"plain", "plain"}, {"caf\xc3\xa9", "caf\xc3\xa9"}, {"cut \xe2\x82", "cut ??"},
        {"\xff\xfe", "??"}, {"\xed\xa0\x80", "???"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *clean = jsontext_clean(cases[i].dirty);

        ck_assert_str_eq(clean, cases[i].clean);
        free(clean);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("jsontext");
    TCase *t = tcase_create("jsontext");

    tcase_add_test(t, json_is_accepted);
    tcase_add_test(t, what_is_no_json_is_refused_and_the_byte_named);
    tcase_add_test(t, a_nul_byte_is_no_end);
    tcase_add_test(t, deep_nesting_costs_no_stack);
    tcase_add_test(t, a_member_is_found_as_it_was_spelled);
    tcase_add_test(t, elements_come_in_order);
    tcase_add_test(t, a_name_twice_is_found_at_any_depth);
    tcase_add_test(t, bytes_that_are_not_utf8_are_replaced);
    suite_add_tcase(s, t);
    return s;
}
