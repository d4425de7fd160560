#include <yajl/yajl_parse.h>

#include "base/mem.h"
#include "tests/unit/lines.h"

/*
 * Two properties of the reader: it takes nothing that yajl does not, and names what it
 * refuses beyond; and a value is written alike whether its text is at hand in canonical
 * spelling or has to be spelled again.
 */
static const struct json_limits limits = {1U << 26, 1U << 20, 64};

/* --- against yajl --- */

static bool yajl_takes(const char *text, size_t len)
{
    static const yajl_callbacks nothing = {0};
    yajl_handle h = yajl_alloc(&nothing, NULL, NULL);
    bool good = yajl_parse(h, (const unsigned char *)text, len) == yajl_status_ok &&
                yajl_complete_parse(h) == yajl_status_ok;

    yajl_free(h);
    return good;
}

/* What yajl passes and we do not. */
static bool is_strictness(const char *msg)
{
    static const char *const ours[] = {"not UTF-8", "half a surrogate pair",
                                       "a key twice", "beyond a double"};

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (strstr(msg, ours[i]))
            return true;
    return false;
}

/* Its white space has two characters more; and behind a whole text it does not see a
   string that has no end. */
static bool is_hole(const char *text, size_t len, const char *msg)
{
    size_t at = 0;

    (void)sscanf(msg, "JSON byte %zu: something behind", &at);
    return memchr(text, '\v', len) || memchr(text, '\f', len) ||
           (at > 0 && text[at] == '"');
}

static bool assert_same_verdict(const char *text, size_t len)
{
    struct json_doc *doc = NULL;
    /* of its own, so that a sanitizer sees a byte too many read */
    AUTOFREE char *exact = memcpy(xcalloc(len + (len == 0), 1), text, len);
    bool ours = json_parse(exact, len, &limits, &doc, &test_err) == ERR_OK;
    bool theirs = yajl_takes(text, len);

    json_free(doc);
    if (ours != theirs)
        ck_assert_msg(
            !ours && (is_strictness(test_err.msg) || is_hole(text, len, test_err.msg)),
            "%.*s: %s", (int)len, text, ours ? "taken" : test_err.msg);
    return ours;
}

static const char all_kinds[] =
    " {\"a\\u00e9\\ud83d\\ude00\\n\":[-0,12,1.5e+3,0.25,-7E-2,true,false,null],"
    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\":{\"\":{},\"z\":[],\"b\\/\":\"x\"}}\t\r\n";

START_TEST(yajl_is_of_the_same_opinion_on_every_changed_byte)
{
    size_t len = sizeof(all_kinds) - 1, taken = 0;
    char text[sizeof(all_kinds) + 1];

    ck_assert(assert_same_verdict(all_kinds, len));
    for (size_t at = 0; at < len; at++)
        for (unsigned c = 0; c < 256; c++) {
            memcpy(text, all_kinds, len);
            text[at] = (char)c;
            taken += assert_same_verdict(text, len);
            memmove(text + at + 1, all_kinds + at, len - at);
            taken += assert_same_verdict(text, len + 1);
        }
    ck_assert_uint_gt(taken, 3000);
}
END_TEST

START_TEST(yajl_is_of_the_same_opinion_on_every_cut_text)
{
    size_t len = sizeof(all_kinds) - 1;
    char text[sizeof(all_kinds)];

    for (size_t from = 0; from < len; from++)
        for (size_t to = from; to <= len; to++) {
            (void)assert_same_verdict(all_kinds + from, to - from);
            memcpy(text, all_kinds, from); /* without what is between */
            memcpy(text + from, all_kinds + to, len - to);
            (void)assert_same_verdict(text, len - (to - from));
        }
}
END_TEST

/* --- both ways of writing --- */

static struct json_doc *read_again(const struct buf *text)
{
    struct json_doc *doc = NULL;

    ASSERT_OK(json_parse(text->data, text->len, &limits, &doc, &test_err));
    return doc;
}

static void spell_text(const char *text, size_t len, struct buf *out)
{
    buf_puts(out, "\"");
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x80)
            buf_printf(out, "\\u%04X", (unsigned)text[i]);
        else
            buf_put(out, &text[i], 1);
    buf_puts(out, "\"");
}

static void spell(const struct json *v, struct buf *out);

static void spell_members(const struct json *v, struct buf *out)
{
    bool object = v->type == JSON_OBJECT;
    const struct json *c = v->first;

    for (size_t i = v->len; i > 0; i--, c = c->next) {
        const struct json *member = object ? v->sorted[i - 1] : c;

        if (object) {
            spell_text(member->key, member->key_len, out);
            buf_puts(out, "\n:");
        }
        spell(member, out);
        buf_puts(out, i > 1 ? "\t, " : "");
    }
}

/* The same value in no canonical character: all escaped, keys from the last to the
   first, white space, numbers with needless digits. */
static void spell(const struct json *v, struct buf *out)
{
    if (v->type == JSON_STRING) {
        spell_text(v->text, v->len, out);
    } else if (v->type == JSON_FLOAT && !strchr(v->text, 'e')) {
        buf_printf(out, "%s00E0", v->text);
    } else if (v->type == JSON_OBJECT || v->type == JSON_ARRAY) {
        buf_puts(out, v->type == JSON_OBJECT ? "{ " : "[ ");
        spell_members(v, out);
        buf_puts(out, v->type == JSON_OBJECT ? "}" : "]");
    } else {
        json_write(v, JSON_CANON, out);
    }
}

static void assert_forms(const struct json *v, const struct buf *canon,
                         const struct buf *spaced)
{
    CLEANUP_BUF struct buf got = BUF(1U << 26);

    json_write(v, JSON_CANON, &got);
    ck_assert_str_eq(got.data, canon->data);
    ck_assert_uint_eq(json_size(v), canon->len);
    buf_reset(&got);
    json_write(v, JSON_SPACED, &got);
    ck_assert_str_eq(got.data, spaced->data);
}

/* Of no value but the emptiest is there canonical text. */
static void assert_spelled_anew(const struct json *v)
{
    if (v->len > 0 &&
        (v->type == JSON_STRING || v->type == JSON_ARRAY || v->type == JSON_OBJECT))
        ck_assert_ptr_null(v->canon);
    if (v->type == JSON_ARRAY || v->type == JSON_OBJECT)
        for (const struct json *c = v->first; c; c = c->next)
            assert_spelled_anew(c);
}

static void assert_as_it_came(const struct json *v)
{
    ck_assert_ptr_nonnull(v->canon);
    if (v->type == JSON_ARRAY || v->type == JSON_OBJECT)
        for (const struct json *c = v->first; c; c = c->next)
            assert_as_it_came(c);
}

static void assert_written_alike(const struct json *v)
{
    CLEANUP_BUF struct buf canon = BUF(1U << 26), spaced = BUF(1U << 26),
                           odd = BUF(1U << 26);
    CLEANUP(json_free) struct json_doc *fast = NULL, *half = NULL, *slow = NULL;

    spell(v, &odd);
    slow = read_again(&odd);
    assert_spelled_anew(json_root(slow));
    json_write(json_root(slow), JSON_CANON, &canon);
    json_write(json_root(slow), JSON_SPACED, &spaced);
    assert_forms(v, &canon, &spaced);
    half = read_again(&spaced);
    assert_forms(json_root(half), &canon, &spaced);
    fast = read_again(&canon);
    if (!strchr(canon.data, '\\')) /* an escape is not looked at for its form */
        assert_as_it_came(json_root(fast));
    assert_forms(json_root(fast), &canon, &spaced);
}

START_TEST(blocks_are_written_alike_in_any_spelling)
{
    for (struct lines l = lines_open("chain/blocks.jsonl"); lines_next(&l);)
        assert_written_alike(l.v);
}
END_TEST

START_TEST(vectors_are_written_alike_in_any_spelling)
{
    static const char *const files[] = {
        "vectors/canonical_json.jsonl", "vectors/float_repr.jsonl",
        "vectors/txid.jsonl", "vectors/address_validation.jsonl"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        for (struct lines l = lines_open(files[i]); lines_next(&l);)
            assert_written_alike(l.v);
}
END_TEST

static void assert_canon(const char *text, const char *path, const char *want)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *v;

    ASSERT_OK(json_parse(text, strlen(text), &limits, &doc, &test_err));
    v = *path ? json_get(json_root(doc), path) : json_root(doc);
    ck_assert_msg((v->canon != NULL) == (want != NULL), "%s", text);
    if (!want)
        return;
    ck_assert_uint_eq(v->canon_len, strlen(want));
    ck_assert_mem_eq(v->canon, want, v->canon_len);
}

START_TEST(a_values_text_is_canonical_or_it_is_not)
{
    static const char *const odd[] = {"[1, 2]",
                                      "[ 1]",
                                      "[1 ]",
                                      "{\"a\" :1}",
                                      "{\"a\": 1}",
                                      "{\"b\":1,\"a\":2}",
                                      "{\"\\u0061\":1}",
                                      "[-0]",
                                      "[1.50]",
                                      "[1e3]",
                                      "[1.0E1]",
                                      "[0.00001]",
                                      "\"\\/\"",
                                      "\"\x7f\"",
                                      "\"\xc3\xa9\"",
                                      "[\"\\u0041\"]",
                                      "[1e16]",
                                      "[1.00000000000000001]",
                                      "[12345678901234567890.0]"};
    static const char *const same[] = {"[]",
                                       "{}",
                                       "[1,2]",
                                       "\"a b\"",
                                       "{\"a\":{\"b\":1},\"b\":[]}",
                                       "[-0.0]",
                                       "[-1.5]",
                                       "[1e+16]",
                                       "[1e-05]",
                                       "[0.0001]",
                                       "[0.0]",
                                       "[1763812345.1234567]",
                                       "[123456789012345678901234567890]",
                                       "true",
                                       "null"};

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        assert_canon(odd[i], "", NULL);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        assert_canon(same[i], "", same[i]);
    assert_canon(" {\"a\":[1], \"b\":[1, 2]} \n", "a", "[1]");
    assert_canon(" {\"a\":[1], \"b\":[1, 2]} \n", "b", NULL);
    assert_canon("\t{\"a\":[1]}\n", "", "{\"a\":[1]}");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("json_spelling");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, yajl_is_of_the_same_opinion_on_every_changed_byte);
    tcase_add_test(tc, yajl_is_of_the_same_opinion_on_every_cut_text);
    tcase_add_test(tc, blocks_are_written_alike_in_any_spelling);
    tcase_add_test(tc, vectors_are_written_alike_in_any_spelling);
    tcase_add_test(tc, a_values_text_is_canonical_or_it_is_not);
    suite_add_tcase(s, tc);
    return s;
}
