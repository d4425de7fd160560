#include "tests/unit/payload_kit.h"

/* Bodies that are not what they should be: each is refused, with its reason, early. */

static struct pk p;

static void setup(void)
{
    pk_init(&p);
}

static void teardown(void)
{
    pk_fini(&p);
}

#define ENTRY                                                                         \
    "{\"address\": \"TXAIa\", \"amount\": 12.0, \"script_pubkey\": \"P2PKH TXAIa\", " \
    "\"spent\": false, \"txid\": "                                                    \
    "\"1111111111111111111111111111111111111111111111111111111111111111\", \"vout\": 0}"
#define HEAD                                                                 \
    "{\"height\": 200, \"block_hash\": "                                     \
    "\"0001cb9c3a02a4cef3730b4d1f57764765e140e87f949712642aee0066c90a71\", " \
    "\"state_hash\": "                                                       \
    "\"905b0d16216e83fc772b9ba56a1c799e07f7a99b719fd8c7ade12ff1e6c8342a\", "
#define SNAPSHOT  "\"utxo_snapshot\": {\"total_utxos\": 1, \"total_value\": 12.0, "
#define BODY(set) HEAD "\"data\": {" SNAPSHOT "\"utxo_set\": " set "}}}"

static enum errc ingest(const char *text)
{
    return pk_ingest(&p, text, strlen(text));
}

/* text with the one place changed */
static enum errc ingest_with(const char *from, const char *to)
{
    static const char text[] = BODY("{\"TXAIa\": [" ENTRY "]}");
    CLEANUP_BUF struct buf changed = BUF(16U << 20);
    const char *at = strstr(text, from);

    ck_assert_msg(at != NULL, "%s", from);
    buf_put(&changed, text, (size_t)(at - text));
    buf_puts(&changed, to);
    buf_puts(&changed, at + strlen(from));
    return pk_ingest(&p, changed.data, changed.len);
}

START_TEST(the_base_of_these_tests_is_well_formed)
{
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH, ingest_with("x", "x"));
    EXPECT_SAYS(&p, "state_hash is 905b0d16");
}
END_TEST

START_TEST(wrong_forms_are_named)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"\"vout\": 0", "\"vout\": -1", "vout of an entry"},
        {"\"vout\": 0", "\"vout\": 4294967296", "vout of an entry"},
        {"\"vout\": 0", "\"vout\": 0.0", "vout of an entry"},
        {"\"vout\": 0", "\"vout\": 1e1", "vout of an entry"},
        {"\"vout\": 0", "\"vout\": \"0\"", "vout of an entry"},
        {"\"vout\": 0", "\"vout\": null", "vout of an entry"},
        {"\"vout\": 0", "\"vout\": [0]", "vout of an entry"},
        {"\"vout\": 0", "\"vout\": {}", "vout of an entry"},
        {"\"vout\": 0", "\"vout\": 00", "byte"},
        {", \"vout\": 0", "", "without vout"},
        {"\"vout\": 0", "\"vout\": 0, \"vout\": 0", "vout twice"},
        {"\"vout\": 0", "\"vout\": 0, \"index\": 0", "unknown key"},
        {"\"1111", "\"111", "txid of an entry"},
        {"\"1111", "\"11111", "txid of an entry"},
        {"\"1111", "\"A111", "txid of an entry"},
        {"\"1111", "\"g111", "txid of an entry"},
        {"\"spent\": false", "\"spent\": 0", "spent of an entry"},
        {"\"spent\": false", "\"spent\": \"false\"", "spent of an entry"},
        {"\"amount\": 12.0", "\"amount\": \"12.0\"", "amount of an entry"},
        {"\"amount\": 12.0", "\"amount\": true", "amount of an entry"},
        {"\"amount\": 12.0", "\"amount\": NaN", "byte"},
        {"\"amount\": 12.0", "\"amount\": Infinity", "byte"},
        {"\"amount\": 12.0", "\"amount\": -Infinity", "byte"},
        {"\"amount\": 12.0", "\"amount\": 1e400", "beyond a double"},
        {"\"amount\": 12.0", "\"amount\": 12.", "byte"},
        {"\"amount\": 12.0", "\"amount\": .5", "byte"},
        {"\"amount\": 12.0", "\"amount\": +1", "byte"},
        {"\"amount\": 12.0", "\"amount\": 0x10", "byte"},
        {"\"amount\": 12.0", "\"amount\":\v12.0", "not JSON"},
        {"\"amount\": 12.0", "\"amount\":\f12.0", "not JSON"},
        {"\"address\": \"TXAIa\"", "\"address\": 5", "address of an entry"},
        {"\"address\": \"TXAIa\"", "\"address\": null", "address of an entry"},
        {"[{", "[null, {", "not an object"},
        {"[{", "[[], {", "not an object"},
        {"{\"TXAIa\": [", "{\"TXAIa\": 5, \"b\": [", "without a list"},
        {"{\"TXAIa\": [", "{\"\": [", "no address"},
        {"{\"TXAIa\": [", "{\"a\\u0000b\": [", "no address"},
        {"{\"TXAIa\": [", "{\"a\\nb\": [", "no address"},
        {"{\"TXAIa\": [", "{\"a\\u007f\": [", "no address"},
        {"{\"TXAIa\": [", "{\"TXAIa\": [], \"TXAIa\": [", "TXAIa twice"},
        {"\"total_utxos\": 1, ", "", "total_utxos"},
        {"\"total_value\": 12.0, ", "", "total_value"},
        {"\"total_utxos\": 1", "\"total_utxos\": 1, \"total_utxos\": 1", "key twice"},
        {"\"height\": 200", "\"height\": 200, \"height\": 200", "key twice"},
        {"\"height\": 200, ", "", "missing"},
        {"\"height\": 200", "\"height\": -5", "missing"},
        {"\"state_hash\": ", "\"x\": ", "missing"},
        {"\"block_hash\": \"0", "\"block_hash\": \"A", "missing"},
        {"\"data\": {", "\"data\": {}, \"data\": {", "missing"},
        {"\"data\": {", "\"data\": null, \"x\": {", "data: not an object"},
        {"\"data\": {", "\"date\": {", "data: missing"},
        {"\"utxo_snapshot\": {", "\"x\": {", "utxo_snapshot: missing"},
        {"\"utxo_snapshot\": {", "\"utxo_snapshot\": [{", "not an object"},
        {"\"utxo_set\": {", "\"x\": {", "utxo_set: missing"},
        {"\"utxo_set\": {", "\"utxo_set\": [], \"x\": {", "not an object"},
        {"\"utxo_set\": {", "\"utxo_set\": {}, \"utxo_set\": {", "utxo_set twice"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)ingest_with(cases[i].from, cases[i].to);
        ck_assert_msg(p.err.reason == REASON_PAYLOAD_MALFORMED &&
                          strstr(p.err.msg, cases[i].says) != NULL,
                      "%s -> %s: %s: %s", cases[i].from, cases[i].to,
                      reason_code(p.err.reason), p.err.msg);
    }
}
END_TEST

START_TEST(duplicates_are_found_out_of_order_too)
{
    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  ingest(BODY("{\"b\": [], \"a\": [], \"b\": []}")));
    EXPECT_SAYS(&p, "address b twice");
    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  ingest(HEAD "\"data\": {\"zz\": {\"a\": 1, \"a\": 2}, " SNAPSHOT
                              "\"utxo_set\": {}}}}"));
    EXPECT_SAYS(&p, "key twice");
    EXPECT_REASON(
        &p, PAYLOAD_MALFORMED,
        ingest(HEAD "\"data\": {\"utxo_snapshot\": {\"utxo_set\": {}, "
                    "\"utxo_set\": {}, \"total_utxos\": 0, \"total_value\": 0}}}"));
    EXPECT_SAYS(&p, "utxo_set twice");
}
END_TEST

START_TEST(texts_must_be_unicode)
{
    enum { HALF_PAIRS = 8 }; /* of those below */
    static const char *const bad[] = {
        "\\ud800",
        "\\udc00",
        "\\ud83d\\ud83d",
        "\\ud83dx",
        "\\ud83d\\n",
        "\\ud83d\\n\\ude00",
        "\\ud83dx\\ude00",
        "\\uDE00\\uD83D",
        "\\u12g4",
        "\\x41",
        "\xff",
        "\xc0\x80",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
        "\xe2\x82",
        "\x80",
        "a\nb",
        "\xf0\x8f\xbf\xbf",
        "\xe0\x9f\xbf",
    };
    char to[64];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(to, sizeof(to), "{\"%s\": [", bad[i]);
        (void)ingest_with("{\"TXAIa\": [", to);
        ck_assert_msg(p.err.reason == REASON_PAYLOAD_MALFORMED, "%zu: %s", i,
                      p.err.msg);
        if (i < HALF_PAIRS)
            EXPECT_SAYS(&p, "half a surrogate pair");
        (void)snprintf(to, sizeof(to), "{\"note\": \"%s\", ", bad[i]);
        (void)ingest_with("{\"height\"", "{\"height\"");
        (void)ingest_with("{", to);
        ck_assert_msg(p.err.reason == REASON_PAYLOAD_MALFORMED, "%zu: %s", i,
                      p.err.msg);
    }
    EXPECT_REASON(
        &p, PAYLOAD_HASH_MISMATCH,
        ingest_with("{", "{\"note\": \"\\ud83d\\ude00\\u0000\xf0\x9f\x98\x80\", "));
}
END_TEST

START_TEST(a_text_that_is_not_one_object_is_refused)
{
    static const char *const bad[] = {
        "",         " ",
        "null",     "[]",
        "5",        "\"x\"",
        "{",        "}",
        "{}{}",     "{} {}",
        "{},",      "[{}]",
        "{\"a\":1", "\xef\xbb\xbf{}",
        "{/*x*/}",  "{\"a\":1,}",
        "{a:1}",    "{'a':1}",
        "{}\x0b",   "\x0c{}",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)ingest(bad[i]);
        ck_assert_msg(p.err.reason == REASON_PAYLOAD_MALFORMED, "%s: %s", bad[i],
                      p.err.msg);
    }
}
END_TEST

START_TEST(trailing_bytes_are_refused_and_white_space_is_not)
{
    size_t len;
    char *text = pk_read("payload_50.json", &len);

    memcpy(text + len, " \r\n\t", 4);
    EXPECT_OK(&p, pk_ingest(&p, text, len + 4));
    text[len] = 'x';
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, pk_ingest(&p, text, len + 1));
    text[len] = '\0';
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, pk_ingest(&p, text, len + 1));
    text[len] = '"'; /* a string that never ends: yajl lets that pass */
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, pk_ingest(&p, text, len + 1));
    memcpy(text + len, "\"ab", 3);
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, pk_ingest(&p, text, len + 3));
    free(text);
}
END_TEST

START_TEST(every_cut_is_noticed)
{
    size_t len;
    char *text = pk_read("payload_200.json", &len);

    for (size_t cut = 0; cut < len; cut += cut + 1000 < len ? 1000 : 1)
        EXPECT_REASON(&p, PAYLOAD_MALFORMED, pk_ingest(&p, text, cut));
    free(text);
}
END_TEST

static enum errc ingest_filled(const char *before, char fill, size_t n,
                               const char *after)
{
    CLEANUP_BUF struct buf text = BUF(64U << 20);
    char *filler = xcalloc(1, n);

    memset(filler, fill, n);
    buf_puts(&text, before);
    buf_put(&text, filler, n);
    buf_puts(&text, after);
    free(filler);
    return pk_ingest(&p, text.data, text.len);
}

START_TEST(bombs_end_early)
{
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, ingest_filled("", '[', 8U << 20, ""));
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, ingest_filled("{\"x\": ", '[', 100, ""));
    EXPECT_SAYS(&p, "nested too deep");
    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  ingest_filled("{\"height\": ", '1', 8U << 20, "}"));
    EXPECT_SAYS(&p, "too long");
    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  ingest_filled("{\"x\": \"", 'x', 8U << 20, "\"}"));
    EXPECT_SAYS(&p, "too long");
    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  ingest_filled("{\"x\": \"", 'x', 8U << 20, ""));
    EXPECT_SAYS(&p, "too long"); /* though it never ended */
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, ingest_filled("{\"", 'x', 8U << 20, "\": 1}"));
    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  ingest_filled(HEAD "\"data\": {" SNAPSHOT "\"utxo_set\": {\"", 'x',
                                129, "\": []}}}}"));
    EXPECT_SAYS(&p, "no address");
    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  ingest_filled(HEAD "\"data\": {" SNAPSHOT
                                     "\"utxo_set\": {\"TXAIa\": [{\"address\": \"",
                                'x', 4097, "\"}]}}}}"));
    EXPECT_SAYS(&p, "too long");
    EXPECT_REASON(&p, PAYLOAD_MALFORMED,
                  ingest_filled(HEAD "\"data\": {" SNAPSHOT
                                     "\"utxo_set\": {\"TXAIa\": [{\"amount\": ",
                                '1', 65, "}]}}}}"));
    EXPECT_SAYS(&p, "too long");
    /* white space is nothing, however much of it */
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH,
                  ingest_filled(HEAD, ' ', 8U << 20,
                                "\"data\": {" SNAPSHOT "\"utxo_set\": {}}}}"));
}
END_TEST

START_TEST(much_beside_the_coins_is_refused)
{
    CLEANUP_BUF struct buf text = BUF(64U << 20);

    buf_puts(&text, HEAD "\"data\": {\"x\": [1");
    for (int i = 0; i < 600000; i++)
        buf_puts(&text, ",1");
    buf_puts(&text, "], " SNAPSHOT "\"utxo_set\": {}}}}");
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, pk_ingest(&p, text.data, text.len));
    EXPECT_SAYS(&p, "beside the coins");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("payload_hostile");
    TCase *tc = tcase_create("hostile");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_base_of_these_tests_is_well_formed);
    tcase_add_test(tc, wrong_forms_are_named);
    tcase_add_test(tc, duplicates_are_found_out_of_order_too);
    tcase_add_test(tc, texts_must_be_unicode);
    tcase_add_test(tc, a_text_that_is_not_one_object_is_refused);
    tcase_add_test(tc, trailing_bytes_are_refused_and_white_space_is_not);
    tcase_add_test(tc, every_cut_is_noticed);
    tcase_add_test(tc, bombs_end_early);
    tcase_add_test(tc, much_beside_the_coins_is_refused);
    suite_add_tcase(s, tc);
    return s;
}
