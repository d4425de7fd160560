#include "base/hash.h"
#include "base/hex.h"
#include "base/pyfloat.h"
#include "tests/unit/lines.h"

static const struct json_limits small = {1000, 50, 5};

static enum errc parse(const char *text, struct json_doc **out)
{
    return json_parse(text, strlen(text), &small, out, &test_err);
}

static void assert_refused(const char *text, const char *why)
{
    struct json_doc *doc = NULL;

    ck_assert_msg(parse(text, &doc) == ERR_VERIFY, "accepted: %s", text);
    ck_assert_int_eq(test_err.reason, REASON_BLOCK_MALFORMED);
    ck_assert_msg(strstr(test_err.msg, why) != NULL, "%s: %s", text, test_err.msg);
    ck_assert_ptr_null(doc);
}

static void assert_form(const struct json *v, enum json_form form, const char *text,
                        const char *sha256)
{
    CLEANUP_BUF struct buf out = BUF(1 << 20);
    uint8_t hash[32];
    char hex[65];

    json_write(v, form, &out);
    ck_assert_str_eq(out.data, text);
    hash_sha256(out.data, out.len, hash);
    hex_encode(hash, sizeof(hash), hex);
    ck_assert_str_eq(hex, sha256);
}

/* What Python takes and we do not: those lines must be refused, all others must match.
 */
static const char *refusal_of(const char *text)
{
    if (strstr(text, "1e400"))
        return "beyond a double";
    if (strcmp(text, "{\"a\":1,\"a\":2}") == 0)
        return "a key twice";
    return NULL;
}

START_TEST(writes_what_python_writes)
{
    size_t refused = 0;

    for (struct lines l = lines_open("vectors/canonical_json.jsonl"); lines_next(&l);) {
        const char *text = text_of(l.v, "json_text");
        struct json_doc *doc = NULL;

        if (refusal_of(text)) {
            assert_refused(text, refusal_of(text));
            refused++;
            continue;
        }
        ASSERT_OK(parse(text, &doc));
        assert_form(json_root(doc), JSON_CANON, text_of(l.v, "canonical"),
                    text_of(l.v, "canonical_sha256"));
        assert_form(json_root(doc), JSON_SPACED, text_of(l.v, "default_separators"),
                    text_of(l.v, "default_sha256"));
        json_free(doc);
    }
    ck_assert_uint_eq(refused, 3);
}
END_TEST

START_TEST(keeps_the_kind_of_numbers)
{
    for (struct lines l = lines_open("vectors/number_parse.jsonl"); lines_next(&l);) {
        const char *text = text_of(l.v, "text"), *kind = text_of(l.v, "type");
        const char *canonical = text_of(l.v, "canonical");
        struct json_doc *doc = NULL;
        double value, want = from_bits(text_of(l.v, "bits"));
        CLEANUP_BUF struct buf out = BUF(100);

        if (strcmp(canonical, "Infinity") == 0) {
            assert_refused(text, "beyond a double");
            continue;
        }
        ASSERT_OK(parse(text, &doc));
        ck_assert_int_eq(json_root(doc)->type,
                         strcmp(kind, "int") == 0 ? JSON_INT : JSON_FLOAT);
        ck_assert(json_double(json_root(doc), &value));
        ck_assert_mem_eq(&value, &want, sizeof(value));
        json_write(json_root(doc), JSON_CANON, &out);
        ck_assert_str_eq(out.data, canonical);
        json_free(doc);
    }
}
END_TEST

START_TEST(refuses_what_is_not_strict_json)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "ends too early"},
        {" ", "ends too early"},
        {"{", "ends too early"},
        {"[1,]", "not JSON"},
        {"[1] 2", "behind the value"},
        {"01", "behind the value"},
        {"[1] \"", "behind the value"},
        {"[1]\"abc", "behind the value"},
        {"{}\"\\", "behind the value"},
        {"\"abc", "without an end"},
        {"1.", "a digit is missing"},
        {"-", "a digit is missing"},
        {"NaN", "not JSON"},
        {"Infinity", "not JSON"},
        {"+1", "not JSON"},
        {"'a'", "not JSON"},
        {"/* c */1", "not JSON"},
        {"\"\\q\"", "no such escape"},
        {"\"\\u12g4\"", "four hex digits"},
        {"\"a\nb\"", "a control character"},
        {"[1 2]", "a comma is missing"},
        {"{\"a\":1 \"b\":2}", "a comma is missing"},
        {"{\"a\" 1}", "a colon is missing"},
        {"{\"a\":1,}", "a key is missing"},
        {"{,}", "a key is missing"},
        {"{1:2}", "a key is missing"},
        {"[1}", "a comma is missing"},
        {"]", "not JSON"},
        {"[1]]", "behind the value"},
        {"nul", "not JSON"},
        {"truefalse", "behind the value"},
        {"1e", "a digit is missing"},
        {"1e+", "a digit is missing"},
        {"-.5", "a digit is missing"},
        {"[\v1]", "not JSON"},
        {"[\f1]", "not JSON"},
        {"\xef\xbb\xbf[]", "not JSON"},
        {"[1]\x7f", "behind the value"},
        {"\"\\ud83d\"", "surrogate"},
        {"\"\\ud83dx\"", "surrogate"},
        {"\"\\ud83d\\u0041\"", "surrogate"},
        {"\"\\ud83d\\ud83d\"", "surrogate"},
        {"\"\\ude00\"", "surrogate"},
        {"\"\\uDE00\"", "surrogate"},
        {"\"\xc0\x80\"", "not UTF-8"},
        {"\"\xc3\"", "not UTF-8"},
        {"\"\x80\"", "not UTF-8"},
        {"\"\xe0\x80\x80\"", "not UTF-8"},
        {"\"\xed\xa0\x80\"", "not UTF-8"},
        {"\"\xf0\x80\x80\x80\"", "not UTF-8"},
        {"\"\xf4\x90\x80\x80\"", "not UTF-8"},
        {"\"\xff\"", "not UTF-8"},
        {"{\"a\":{\"b\":1,\"c\":2,\"b\":3}}", "a key twice"},
        {"{\"a\":1,\"\\u0061\":2}", "a key twice"},
        {"[1e999]", "beyond a double"},
        {"[[[[[[]]]]]]", "too deep"},
        {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}", "too deep"},
        {"[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
         "0,0,0,0,0,0,0,0,0,0,0,0]",
         "too many values"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused(cases[i].text, cases[i].why);
}
END_TEST

START_TEST(refuses_nul_and_too_many_bytes)
{
    struct json_doc *doc = NULL;
    char text[1001];

    ASSERT_ERR(ERR_VERIFY, json_parse("[1]\0", 4, &small, &doc, &test_err));
    memset(text, ' ', sizeof(text));
    text[0] = '1';
    ASSERT_ERR(ERR_VERIFY, json_parse(text, sizeof(text), &small, &doc, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "1001 bytes, limit 1000"));
    ASSERT_OK(json_parse(text, sizeof(text) - 1, &small, &doc, &test_err));
    json_free(doc);
}
END_TEST

START_TEST(accepts_limits_exactly)
{
    struct json_doc *doc = NULL;

    ASSERT_OK(parse("[[[[[]]]]]", &doc));
    json_free(doc);
    ASSERT_OK(parse("\"\\ud83d\\ude00 \\uFFFF \xf4\x8f\xbf\xbf \xee\x80\x80\"", &doc));
    json_free(doc);
}
END_TEST

START_TEST(reads_only_what_fits)
{
    struct json_doc *doc = NULL;
    const struct json *v;
    uint64_t n = 7;
    double d = 7;
    const char *text = "x";
    uint8_t hash[32];

    ASSERT_OK(parse("{\"max\":18446744073709551615,\"over\":18446744073709551616,"
                    "\"neg\":-1,\"f\":2.0,\"s\":\"a\\u0000b\",\"t\":true,\"n\":null,"
                    "\"h\":\"00000000000000000000000000000000000000000000000000000000"
                    "000000FF\"}",
                    &doc));
    v = json_root(doc);
    ck_assert(!json_u64(json_get(v, "over"), &n) && !json_u64(json_get(v, "neg"), &n));
    ck_assert(!json_u64(json_get(v, "f"), &n) && !json_u64(json_get(v, "none"), &n));
    ck_assert_uint_eq(n, 7);
    ck_assert(json_u64(json_get(v, "max"), &n));
    ck_assert_uint_eq(n, UINT64_MAX);
    ck_assert(!json_double(json_get(v, "t"), &d) && !json_double(json_get(v, "s"), &d));
    ck_assert(json_double(json_get(v, "neg"), &d) && d <= -1.0 && d >= -1.0);
    ck_assert(!json_text(json_get(v, "s"), &text));
    ck_assert_uint_eq(json_get(v, "s")->len, 3);
    ck_assert(!json_hash(json_get(v, "h"), hash));
    ck_assert(json_is_null(json_get(v, "n")) && json_is_null(json_get(v, "none")));
    ck_assert(!json_is_null(v) && !json_get(json_get(v, "s"), "x"));
    json_free(doc);
}
END_TEST

START_TEST(keeps_document_order_when_asked)
{
    struct json_doc *doc = NULL;
    CLEANUP_BUF struct buf out = BUF(100);

    ASSERT_OK(parse("{\"b\":[1,{}],\"a\":{\"d\":1.0,\"c\":2}}", &doc));
    json_write(json_root(doc), JSON_UNSORTED, &out);
    ck_assert_str_eq(out.data, "{\"b\": [1, {}], \"a\": {\"d\": 1.0, \"c\": 2}}");
    buf_reset(&out);
    json_write(json_root(doc), JSON_SPACED, &out);
    ck_assert_str_eq(out.data, "{\"a\": {\"c\": 2, \"d\": 1.0}, \"b\": [1, {}]}");
    json_free(doc);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("json");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, writes_what_python_writes);
    tcase_add_test(tc, keeps_the_kind_of_numbers);
    tcase_add_test(tc, refuses_what_is_not_strict_json);
    tcase_add_test(tc, refuses_nul_and_too_many_bytes);
    tcase_add_test(tc, accepts_limits_exactly);
    tcase_add_test(tc, reads_only_what_fits);
    tcase_add_test(tc, keeps_document_order_when_asked);
    suite_add_tcase(s, tc);
    return s;
}
