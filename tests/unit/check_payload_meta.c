#include "sync/snapshot/payload_stream.h"
#include "tests/unit/payload_kit.h"

static struct pk p;
static struct payload_meta m;

static void setup(void)
{
    pk_init(&p);
    memset(&m, 0, sizeof(m));
}

static void teardown(void)
{
    pk_fini(&p);
}

static enum errc read_fixture(const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/checkpoint/%s", TEST_DATA, name);
    return payload_meta_read(path, &m, &p.err);
}

static enum errc read_text(const char *text)
{
    FILE *f = fopen(p.payload, "wb");

    ck_assert_ptr_nonnull(f);
    (void)fwrite(text, 1, strlen(text), f);
    (void)fclose(f);
    return payload_meta_read(p.payload, &m, &p.err);
}

START_TEST(reads_every_field)
{
    EXPECT_OK(&p, read_fixture("payload_200.json"));
    ck_assert(m.has_height && m.has_block_hash && m.has_state_hash && m.has_work);
    ck_assert(m.has_signature && m.has_pubkey && !m.has_network);
    ck_assert_uint_eq(m.height, 200);
    ck_assert_str_eq(m.block_hash, pk_block);
    ck_assert_str_eq(
        m.state_hash,
        "905b0d16216e83fc772b9ba56a1c799e07f7a99b719fd8c7ade12ff1e6c8342a");
    ck_assert_str_eq(m.work, "297015");
    ck_assert_uint_eq(strlen(m.signature), 128);
    ck_assert_uint_eq(strlen(m.pubkey), 128);
    ck_assert_str_eq(m.malformed, "");
}
END_TEST

START_TEST(bad_fixtures_show_in_malformed_alone)
{
    EXPECT_OK(&p, read_fixture("bad_7.json"));
    ck_assert_str_eq(m.malformed, "work: not a non-negative integer");
    ck_assert(!m.has_work && m.has_height);
    EXPECT_OK(&p, read_fixture("bad_8.json"));
    ck_assert_str_eq(m.malformed, "work: not a non-negative integer");
    EXPECT_OK(&p, read_fixture("bad_6.json"));
    ck_assert_str_eq(m.work, "0");
    EXPECT_OK(&p, read_fixture("bad_10.json"));
    ck_assert(!m.has_work);
    ck_assert_str_eq(m.malformed, "");
    EXPECT_OK(&p, read_fixture("bad_11.json"));
    ck_assert(!m.has_signature && m.has_pubkey);
    EXPECT_OK(&p, read_fixture("bad_12.json"));
    ck_assert(m.has_signature && !m.has_pubkey);
    EXPECT_OK(&p, read_fixture("bad_16.json"));
    ck_assert(m.has_signature);
    ck_assert_str_eq(m.malformed, "");
}
END_TEST

#define H64      "000000000000000000000000000000000000000000000000000000000000000a"
#define DIGITS32 "12345678901234567890123456789012"

START_TEST(each_field_has_its_form)
{
    static const struct {
        const char *members, *malformed;
    } cases[] = {
        {"\"height\": 5", ""},
        {"\"height\": 0", ""},
        {"\"height\": 18446744073709551615", ""},
        {"\"height\": 18446744073709551616", "height: not"},
        {"\"height\": -1", "height: not"},
        {"\"height\": 5.0", "height: not"},
        {"\"height\": \"5\"", "height: not"},
        {"\"height\": true", "height: not"},
        {"\"height\": [5]", "height: not"},
        {"\"height\": null", ""},
        {"\"block_hash\": \"" H64 "\"", ""},
        {"\"block_hash\": \"" H64 "0\"", "block_hash: not"},
        {"\"block_hash\": \"abc\"", "block_hash: not"},
        {"\"block_hash\": 5", "block_hash: not"},
        {"\"state_hash\": \"A" H64 "\"", "state_hash: not"},
        {"\"state_hash\": {\"a\": [1]}", "state_hash: not"},
        {"\"work\": 0", ""},
        {"\"work\": -0", ""},
        {"\"work\": 1.0", "work: not"},
        {"\"work\": 1e3", "work: not"},
        {"\"work\": null", ""},
        {"\"work\": " DIGITS32 DIGITS32 DIGITS32, ""},
        {"\"work\": " DIGITS32 DIGITS32 DIGITS32 "1", "work: over 96 digits"},
        {"\"cumulative_work\": 7", ""},
        {"\"cumulative_work\": \"7\"", "cumulative_work: not"},
        {"\"signature\": null, \"pubkey\": null", ""},
        {"\"signature\": 5", "signature: not"},
        {"\"pubkey\": \"a\\u0000b\"", "pubkey: not"},
        {"\"network\": \"testnet\"", ""},
        {"\"network\": \"" DIGITS32 "\"", "network: not"},
        {"\"network\": 5", "network: not"},
        {"\"unknown\": {\"height\": -5}", ""},
        {"\"height\": -1, \"work\": -1", "height: not"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];

        (void)snprintf(text, sizeof(text), "{\"data\": {\"x\": [{}]}, %s}",
                       cases[i].members);
        EXPECT_OK(&p, read_text(text));
        ck_assert_msg(cases[i].malformed[0] ? strncmp(m.malformed, cases[i].malformed,
                                                      strlen(cases[i].malformed)) == 0
                                            : m.malformed[0] == '\0',
                      "%s: %s", cases[i].members, m.malformed);
    }
}
END_TEST

START_TEST(work_has_two_names_and_any_size)
{
    EXPECT_OK(&p, read_text("{\"data\": {}, \"cumulative_work\": 7}"));
    ck_assert_str_eq(m.work, "7");
    EXPECT_OK(&p, read_text("{\"data\": {}, \"work\": null, \"cumulative_work\": 7}"));
    ck_assert_str_eq(m.work, "7");
    EXPECT_OK(&p, read_text("{\"cumulative_work\": 7, \"data\": {}, \"work\": 8}"));
    ck_assert_str_eq(m.work, "8");
    EXPECT_OK(&p, read_text("{\"data\": {}, \"work\": -0}"));
    ck_assert_str_eq(m.work, "0");
    EXPECT_OK(
        &p,
        read_text("{\"data\": {}, \"work\": 340282366920938463463374607431768211456}"));
    ck_assert_str_eq(m.work, "340282366920938463463374607431768211456");
    EXPECT_OK(&p, read_text("{\"data\": {}, \"network\": \"testnet\"}"));
    ck_assert(m.has_network);
    ck_assert_str_eq(m.network, "testnet");
}
END_TEST

START_TEST(what_is_no_payload_is_malformed)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"data\": 5}",
                                      "{\"data\": {}} x",
                                      "{\"data\": {}",
                                      "{\"data\": {}, \"data\": {}}",
                                      "{\"data\": {}, \"work\": 1, \"work\": 1}",
                                      "{\"data\": {\"x\": [}}"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_REASON(&p, PAYLOAD_MALFORMED, read_text(bad[i]));
    ASSERT_ERR(ERR_IO, payload_meta_read("/nonexistent", &m, &p.err));
}
END_TEST

/* --- peek --- */

static bool peek(const char *text, size_t len, size_t head, size_t tail)
{
    memset(&m, 0xa5, sizeof(m));
    return payload_meta_peek(text, head, text + len - tail, tail, &m);
}

START_TEST(a_peek_sees_what_a_reading_sees)
{
    static const char *const files[] = {"payload_50.json", "payload_200.json",
                                        "bad_7.json", "bad_11.json", "bad_26.json"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct payload_meta whole;
        size_t len;
        char *text = pk_read(files[i], &len);

        EXPECT_OK(&p, read_fixture(files[i]));
        whole = m;
        for (size_t n = 600; n < 5000; n += 37) {
            ck_assert_msg(peek(text, len, n, n), "%s %zu", files[i], n);
            ck_assert_int_eq(m.has_work, whole.has_work);
            ck_assert_int_eq(m.has_signature, whole.has_signature);
            ck_assert_str_eq(m.work, whole.work);
            ck_assert_str_eq(m.block_hash, whole.block_hash);
            ck_assert_str_eq(m.state_hash, whole.state_hash);
            ck_assert_str_eq(m.signature, whole.signature);
            ck_assert_str_eq(m.pubkey, whole.pubkey);
            ck_assert_str_eq(m.malformed, whole.malformed);
            ck_assert_uint_eq(m.height, 200 - (i == 0) * 150);
        }
        free(text);
    }
}
END_TEST

/* Sorted, as stock's chunked snapshots spell it: data in the middle. */
START_TEST(a_peek_joins_both_ends)
{
    static const char text[] =
        "{\"block_hash\": \"" H64 "\", \"data\": {\"a\": \"}\\\"}{\\\\\", \"b\": "
        "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]], \"c\": {\"d\": {}}}, \"height\": 77, \"note\": "
        "[{\"}\": \"\\\\\"}, []], \"n2\": \"}\\\"}{\", \"work\": 9}";
    size_t len = sizeof(text) - 1;

    ck_assert(peek(text, len, 100, 100));
    ck_assert(m.has_block_hash && m.has_height && m.has_work);
    ck_assert_uint_eq(m.height, 77);
    ck_assert_str_eq(m.work, "9");
    /* at every cut it says the same or that it cannot tell */
    for (size_t head = 0; head <= len; head++) {
        for (size_t tail = 0; tail <= len; tail++) {
            bool told = peek(text, len, head, tail);

            if (tail >= 90 && tail < 139 && head >= 90)
                ck_assert_msg(told, "%zu %zu", head, tail);
            if (told && tail >= 90) {
                ck_assert_uint_eq(m.height, 77);
                ck_assert_str_eq(m.work, "9");
            }
        }
    }
}
END_TEST

START_TEST(a_peek_that_cannot_tell_says_so)
{
    static const char *const bad[] = {
        "",
        "x",
        "}",
        "]}",
        "{{}",
        "}} x",
        "\"}",
        "}, \"work\": 5",
        "}, \"work\": }",
        "}, \"data\": {}}",
        "}, \"block_hash\": 5}",
        "}}", /* and no signature in front of data */
        "}, \"signature\": \"aa\", \"pubkey\": \"bb\"}}",
    };
    static const char all[] = "{\"signature\": \"aa\", \"pubkey\": \"bb\", \"data\": {";
    static const char head[] = "{\"block_hash\": \"" H64 "\", \"data\": {";

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(
            !payload_meta_peek(head, sizeof(head) - 1, bad[i], strlen(bad[i]), &m),
            "%s", bad[i]);
    ck_assert(payload_meta_peek(all, sizeof(all) - 1, "}}", 2, &m));
    ck_assert_str_eq(m.pubkey, "bb");
    ck_assert(payload_meta_peek(head, sizeof(head) - 1, "}, \"height\": 5}", 15, &m));
    ck_assert_uint_eq(m.height, 5);
    ck_assert(!payload_meta_peek("{\"height\": 5", 12, "}, \"work\": 5}", 13, &m));
    ck_assert(!payload_meta_peek("[\"data\", {", 10, "}, \"work\": 5}", 13, &m));
}
END_TEST

/* --- the parser below --- */

static enum errc note(void *arg, const struct payload_event *ev, struct err *err)
{
    struct buf *out = arg;

    (void)err;
    buf_printf(out, "%d%d:", (int)ev->type, ev->boolean);
    buf_put(out, ev->text, ev->len);
    buf_puts(out, "|");
    return ERR_OK;
}

static enum errc parse_in_pieces(const char *text, size_t len, size_t piece,
                                 struct buf *out)
{
    const struct payload_sink sink = {note, out};
    CLEANUP(payload_parser_free)
    struct payload_parser *parser = payload_parser_create(&sink);
    enum errc rc = ERR_OK;

    for (size_t at = 0; at < len && !rc; at += piece)
        rc = payload_parser_feed(parser, text + at, at + piece < len ? piece : len - at,
                                 &p.err);
    return rc ? rc : payload_parser_finish(parser, &p.err);
}

START_TEST(pieces_make_no_difference)
{
    static const char *const texts[] = {
        "{\"a\\u00e9\\ud83d\\ude00\": [1, -2.5e+10, true, null, \"\xf0\x9f\x98\x80\xc3\xa9\"]}",
        "[12345678901234567890, {\"\": {}}, false, \"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
        "{\"a\": \"\\ud83d\"}",
        "[\"\xed\xa0\x80\"]",
        "[1, 2",
        "[tru]",
        "\"\\ud83d\\u0041\"",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CLEANUP_BUF struct buf whole = BUF(4096);
        size_t len = strlen(texts[i]);
        enum errc rc = parse_in_pieces(texts[i], len, len, &whole);

        ck_assert_int_eq(rc, i < 2 ? ERR_OK : ERR_VERIFY);
        for (size_t piece = 1; piece < len; piece++) {
            CLEANUP_BUF struct buf out = BUF(4096);

            ck_assert_int_eq(parse_in_pieces(texts[i], len, piece, &out), rc);
            if (rc == ERR_OK)
                ck_assert_str_eq(out.data, whole.data);
        }
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("payload_meta");
    TCase *tc = tcase_create("meta");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, reads_every_field);
    tcase_add_test(tc, bad_fixtures_show_in_malformed_alone);
    tcase_add_test(tc, each_field_has_its_form);
    tcase_add_test(tc, work_has_two_names_and_any_size);
    tcase_add_test(tc, what_is_no_payload_is_malformed);
    tcase_add_test(tc, a_peek_sees_what_a_reading_sees);
    tcase_add_test(tc, a_peek_joins_both_ends);
    tcase_add_test(tc, a_peek_that_cannot_tell_says_so);
    tcase_add_test(tc, pieces_make_no_difference);
    suite_add_tcase(s, tc);
    return s;
}
