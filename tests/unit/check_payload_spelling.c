#include "tests/unit/payload_kit.h"

/* One value has many spellings, and all of them have one state_hash. */

static struct pk p;

static void setup(void)
{
    pk_init(&p);
}

static void teardown(void)
{
    pk_fini(&p);
}

struct style {
    bool indent;     /* line breaks, tabs and spaces everywhere */
    bool reverse;    /* keys of every object in reverse order */
    bool escape;     /* every character of a text as \uXXXX, in either case */
    bool scientific; /* floats as d.ddde+XX */
    int only_depth;  /* reverse keys at this depth alone; -1: at all */
};

static void space(const struct style *s, struct buf *out)
{
    if (s->indent)
        buf_puts(out, "\n \t\r\n ");
}

static void respell_text(const struct style *s, const char *text, size_t len,
                         struct buf *out)
{
    if (!s->escape) {
        json_write_string(text, len, out);
        return;
    }
    buf_puts(out, "\"");
    for (size_t i = 0; i < len; i++)
        buf_printf(out, i % 2 ? "\\u%04x" : "\\u%04X",
                   (unsigned)(unsigned char)text[i]);
    buf_puts(out, "\"");
}

static void respell(const struct style *s, const struct json *v, int depth,
                    struct buf *out);

static void respell_children(const struct style *s, const struct json *v, int depth,
                             struct buf *out)
{
    const struct json **all = xcalloc(v->len + 1, sizeof(const struct json *));
    bool reverse = s->reverse && v->type == JSON_OBJECT &&
                   (s->only_depth < 0 || s->only_depth == depth);
    size_t n = 0;

    for (const struct json *c = v->first; c; c = c->next)
        all[n++] = c;
    for (size_t i = 0; i < n; i++) {
        const struct json *c = all[reverse ? n - 1 - i : i];

        buf_puts(out, i ? "," : "");
        space(s, out);
        if (v->type == JSON_OBJECT) {
            respell_text(s, c->key, c->key_len, out);
            space(s, out);
            buf_puts(out, ":");
            space(s, out);
        }
        respell(s, c, depth + 1, out);
        space(s, out);
    }
    free(all);
}

static void respell(const struct style *s, const struct json *v, int depth,
                    struct buf *out)
{
    if (v->type == JSON_OBJECT || v->type == JSON_ARRAY) {
        buf_puts(out, v->type == JSON_OBJECT ? "{" : "[");
        space(s, out);
        respell_children(s, v, depth, out);
        buf_puts(out, v->type == JSON_OBJECT ? "}" : "]");
    } else if (v->type == JSON_STRING) {
        respell_text(s, v->text, v->len, out);
    } else if (v->type == JSON_FLOAT && s->scientific) {
        buf_printf(out, "%.20E", v->number);
    } else {
        json_write(v, JSON_UNSORTED, out);
    }
}

static void respell_fixture(const struct style *s, struct buf *out)
{
    const struct json_limits limits = {
        .max_bytes = 1U << 20, .max_nodes = 1U << 20, .max_depth = 64};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    size_t len;
    char *text = pk_read("payload_200.json", &len);

    ASSERT_OK(json_parse(text, len, &limits, &doc, &test_err));
    respell(s, json_root(doc), 0, out);
    free(text);
}

START_TEST(every_spelling_gives_the_same_state)
{
    static const struct style styles[] = {
        {.only_depth = -1},
        {.indent = true, .only_depth = -1},
        {.reverse = true, .only_depth = -1},
        {.reverse = true, .only_depth = 0}, /* metadata behind data */
        {.reverse = true, .only_depth = 2}, /* totals behind utxo_set */
        {.reverse = true, .only_depth = 3}, /* addresses */
        {.reverse = true, .only_depth = 5}, /* inside entries */
        {.escape = true, .only_depth = -1},
        {.scientific = true, .only_depth = -1},
        {true, true, true, true, -1},
    };
    uint8_t root[32], hash[32];

    EXPECT_OK(&p, pk_ingest_fixture(&p, "payload_200.json"));
    memcpy(root, p.result.coins.state_root, 32);
    memcpy(hash, p.result.state_hash, 32);
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
        CLEANUP_BUF struct buf text = BUF(16U << 20);

        respell_fixture(&styles[i], &text);
        EXPECT_OK(&p, pk_ingest(&p, text.data, text.len));
        ck_assert_mem_eq(p.result.coins.state_root, root, 32);
        ck_assert_mem_eq(p.result.state_hash, hash, 32);
        ck_assert_uint_eq(p.result.meta.height, 200);
        ck_assert_str_eq(p.result.meta.work, "297015");
    }
}
END_TEST

/* The order of a list is part of the value, so is the kind of a number. */
START_TEST(another_value_gives_another_hash)
{
    CLEANUP_BUF struct buf text = BUF(16U << 20);
    const struct style plain = {.only_depth = -1};
    char *at;

    respell_fixture(&plain, &text);
    at = strstr(text.data, "0.335939");
    ck_assert_ptr_nonnull(at);
    at[7] = '8';
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH, pk_ingest(&p, text.data, text.len));
    at[7] = '9';
    EXPECT_OK(&p, pk_ingest(&p, text.data, text.len));
}
END_TEST

/* data, and the same with one text replaced; both under the hash of the first. */
static enum errc ingest_changed(const char *data, const char *from, const char *to)
{
    CLEANUP_BUF struct buf text = BUF(16U << 20), changed = BUF(16U << 20);
    char *at;

    pk_wrap(data, &text);
    at = strstr(text.data, from);
    ck_assert_ptr_nonnull(at);
    buf_put(&changed, text.data, (size_t)(at - text.data));
    buf_puts(&changed, to);
    buf_puts(&changed, at + strlen(from));
    return pk_ingest(&p, changed.data, changed.len);
}

static const char one_coin[] =
    "{\"utxo_snapshot\": {\"total_utxos\": 1, \"total_value\": 12.0, \"utxo_set\": "
    "{\"TXAIa\": [{\"address\": \"TXAIa\", \"amount\": 12.0, \"script_pubkey\": "
    "\"P2PKH TXAIa\", \"spent\": false, \"txid\": "
    "\"1111111111111111111111111111111111111111111111111111111111111111\", \"vout\": "
    "0}]}}, \"zz\": [1, 2.50, null, {\"b\": true, \"a\": \"\\u00e4/\\n\"}]}";

START_TEST(numbers_keep_their_kind_but_not_their_spelling)
{
    EXPECT_OK(&p, ingest_changed(one_coin, "x", "x"));
    EXPECT_OK(&p, ingest_changed(one_coin, "\"amount\": 12.0", "\"amount\": 12.000"));
    EXPECT_OK(&p, ingest_changed(one_coin, "\"amount\": 12.0", "\"amount\": 1.2e1"));
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH,
                  ingest_changed(one_coin, "\"amount\": 12.0", "\"amount\": 12"));
    EXPECT_REASON(
        &p, PAYLOAD_HASH_MISMATCH,
        ingest_changed(one_coin, "\"total_value\": 12.0", "\"total_value\": 12"));
    EXPECT_OK(&p, ingest_changed(one_coin, "\"total_value\": 12.0",
                                 "\"total_value\": 12.00"));
    EXPECT_OK(&p, ingest_changed(one_coin, "2.50", "2.5"));
    EXPECT_OK(&p, ingest_changed(one_coin, "2.50", "0.25E+1"));
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH, ingest_changed(one_coin, "2.50", "2.51"));
    EXPECT_OK(&p, ingest_changed(one_coin, "\\u00e4/\\n", "\xc3\xa4\\/\\u000A"));
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH,
                  ingest_changed(one_coin, "[1, 2", "[1, 1, 2"));
}
END_TEST

START_TEST(members_beside_the_coins_are_hashed_wherever_they_stand)
{
    EXPECT_OK(&p,
              ingest_changed(one_coin, "{\"utxo_snapshot\"", "{ \"utxo_snapshot\""));
    /* the same member in front: canonical order puts it behind */
    EXPECT_OK(
        &p, pk_ingest_data(&p, "{\"zz\": 1, \"aa\": 2, \"utxo_snapshot\": {\"aa\": 3, "
                               "\"zz\": 4, \"utxo_set\": {}, \"total_value\": 0.0, "
                               "\"total_utxos\": 0, \"a\": []}, \"ab\": {}}"));
    EXPECT_OK(&p, pk_ingest_data(&p, "{\"aa\": 2, \"utxo_snapshot\": {\"aa\": 3, "
                                     "\"total_utxos\": 0, \"total_value\": 0.0, "
                                     "\"utxo_set\": {}, \"zz\": 4}, \"zz\": 1}"));
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH,
                  ingest_changed(one_coin, "\"zz\"", "\"zy\""));
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH,
                  ingest_changed(one_coin, "\"zz\"", "\"z\": 1, \"zz\""));
}
END_TEST

/* Several lists out of order, with texts that sort by code point and not otherwise. */
START_TEST(addresses_sort_by_code_point)
{
    static const char *const owners[] = {
        "b",    "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "a", "\xc3\xa9", "ab", "B", "aa",
        "Z\"\\"};
    CLEANUP_BUF struct buf data = BUF(1U << 20);
    size_t n = sizeof(owners) / sizeof(owners[0]);

    buf_printf(&data,
               "{\"utxo_snapshot\": {\"total_utxos\": %zu, \"total_value\": %zu.0, "
               "\"utxo_set\": {",
               n, n);
    for (size_t i = 0; i < n; i++) {
        CLEANUP_BUF struct buf entry = BUF(1U << 12);
        char spelled[32];
        size_t at = 0;

        for (const char *c = owners[i]; *c; c++) {
            if (*c == '"' || *c == '\\')
                spelled[at++] = '\\';
            spelled[at++] = *c;
        }
        spelled[at] = '\0';
        pk_entry(&entry, spelled, (char)('1' + i), 0, "1.0", false);
        buf_printf(&data, "%s\"%s\": [%s]", i ? ", " : "", spelled, entry.data);
    }
    buf_puts(&data, "}}}");
    EXPECT_OK(&p, pk_ingest_data(&p, data.data));
    ck_assert_uint_eq(p.result.coins.coin_count, n);
}
END_TEST

/* A list longer than one piece of the sort. */
START_TEST(a_long_list_out_of_order_is_one_list)
{
    CLEANUP_BUF struct buf data = BUF(16U << 20);

    buf_puts(&data,
             "{\"utxo_snapshot\": {\"total_utxos\": 5002, \"total_value\": 5002.0, "
             "\"utxo_set\": {\"TXAIc\": [");
    pk_entry(&data, "TXAIc", '1', 0, "1.0", false);
    buf_puts(&data, "], \"TXAIb\": [");
    for (unsigned i = 0; i < 5000; i++) {
        buf_puts(&data, i ? "," : "");
        pk_entry(&data, "TXAIb", '2', i * 7919 % 5000, "1.0", false);
    }
    buf_puts(&data, "], \"TXAIa\": [");
    pk_entry(&data, "TXAIa", '3', 0, "1.0", false);
    buf_puts(&data, "]}}}");
    p.limits.sort_memory = 1U << 16;
    EXPECT_OK(&p, pk_ingest_data(&p, data.data));
    ck_assert_uint_eq(p.result.coins.coin_count, 5002);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("payload_spelling");
    TCase *tc = tcase_create("spelling");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_spelling_gives_the_same_state);
    tcase_add_test(tc, another_value_gives_another_hash);
    tcase_add_test(tc, numbers_keep_their_kind_but_not_their_spelling);
    tcase_add_test(tc, members_beside_the_coins_are_hashed_wherever_they_stand);
    tcase_add_test(tc, addresses_sort_by_code_point);
    tcase_add_test(tc, a_long_list_out_of_order_is_one_list);
    suite_add_tcase(s, tc);
    return s;
}
