#include "base/hash.h"
#include "base/hex.h"
#include "sync/chain/header.h"
#include "tests/unit/lines.h"

static const struct json_limits limits = {1 << 16, 1000, 5};

static const struct chain_params *testnet(void)
{
    return params_find("testnet");
}

/* The struct that a test needs, from the fields of a vector. */
static struct header header_of(const struct json *v)
{
    struct header h = {0};

    h.height = u64_of(v, "index");
    hash_of(v, "previous_hash", h.prev);
    hash_of(v, "merkle_root", h.merkle_root);
    h.timestamp = double_of(v, "timestamp");
    h.difficulty = (uint32_t)u64_of(v, "difficulty");
    h.nonce = u64_of(v, "nonce");
    h.has_version = json_u64(json_get(v, "version"), &h.version);
    return h;
}

/* A good header as text, with one field replaced; empty value leaves the field out. */
static char *header_text(const char *field, const char *value, const char *hash)
{
    static const char *const fields[][2] = {
        {"index", "1"},
        {"previous_hash",
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
        {"merkle_root",
         "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\""},
        {"timestamp", "1.0"},
        {"difficulty", "1"},
        {"nonce", "1"},
        {"version", "1"},
        {"signature", "null"},
        {"miner_pubkey", "null"},
    };
    struct buf text = BUF(10000);

    buf_puts(&text, "{");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *v = strcmp(fields[i][0], field) == 0 ? value : fields[i][1];

        if (*v)
            buf_printf(&text, "\"%s\":%s,", fields[i][0], v);
    }
    if (*hash)
        buf_printf(&text, "\"hash\":\"%s\"", hash);
    else
        text.len--;
    buf_puts(&text, "}");
    return buf_take(&text);
}

static enum errc parse(const char *text, struct header *out)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;

    if (json_parse(text, strlen(text), &limits, &doc, &test_err) != ERR_OK)
        return test_err.code;
    return header_parse(json_root(doc), out, &test_err);
}

/* The hash in the text is made right before it is read. */
static enum errc parse_field(const char *field, const char *value, struct header *out)
{
    AUTOFREE char *wrong =
        header_text(field, value,
                    "0000000000000000000000000000000000000000000000000000000000000000");
    AUTOFREE char *right = NULL;
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct header h;
    uint8_t hash[32];
    char hex[65];

    if (parse(wrong, &h) != ERR_VERIFY || test_err.reason != REASON_BLOCK_HASH_MISMATCH)
        return test_err.code;
    ASSERT_OK(json_parse(wrong, strlen(wrong), &limits, &doc, &test_err));
    h = header_of(json_root(doc));
    header_hash(&h, hash);
    hex_encode(hash, sizeof(hash), hex);
    right = header_text(field, value, hex);
    return parse(right, out);
}

static void assert_malformed(const char *field, const char *value)
{
    struct header h;

    ck_assert_msg(parse_field(field, value, &h) == ERR_VERIFY, "%s %s", field, value);
    ck_assert_msg(test_err.reason == REASON_BLOCK_MALFORMED, "%s %s: %s", field, value,
                  test_err.msg);
}

START_TEST(hashes_are_those_of_stock)
{
    size_t n = 0, without_version = 0, too_large = 0;

    for (struct lines l = lines_open("vectors/header_hash.jsonl"); lines_next(&l);
         n++) {
        const struct json *input = json_get(l.v, "input");
        uint8_t want[32], got[32];
        struct header h;

        /* no stock miner counts to 10^20, so such a nonce is not read (ADR 0014) */
        if (strcmp(json_get(input, "nonce")->text, "100000000000000000000") == 0) {
            assert_malformed("nonce", "100000000000000000000");
            too_large++;
            continue;
        }
        h = header_of(input);
        without_version += !h.has_version;
        hash_of(l.v, "hash", want);
        header_hash(&h, got);
        ck_assert_msg(memcmp(got, want, 32) == 0, "%s", text_of(l.v, "preimage"));
    }
    ck_assert_uint_eq(n, 60);
    ck_assert_uint_eq(too_large, 12);
    ck_assert_uint_gt(without_version, 0);
}
END_TEST

/* Python literals of the vectors as JSON; Python's nan and inf are none. */
static void to_json(const char *python, char out[200])
{
    (void)snprintf(out, 200, "%s", python);
    if (python[0] == '\'')
        (void)snprintf(out, 200, "\"%.*s\"", (int)strlen(python) - 2, python + 1);
    else if (strcmp(python, "None") == 0)
        (void)snprintf(out, 200, "null");
    else if (strcmp(python, "True") == 0)
        (void)snprintf(out, 200, "true");
}

/* Stock coerces; all but what it would write itself is refused here. */
START_TEST(what_stock_coerces_is_refused)
{
    size_t coerced = 0;

    for (struct lines l = lines_open("vectors/header_coercion.jsonl");
         lines_next(&l);) {
        char value[200];

        to_json(text_of(l.v, "value"), value);
        assert_malformed(text_of(l.v, "field"), value);
        coerced += bool_of(l.v, "ok");
    }
    ck_assert_uint_eq(coerced, 15);
}
END_TEST

START_TEST(an_integer_timestamp_is_hashed_as_a_float)
{
    struct header a, b;

    ASSERT_OK(parse_field("timestamp", "1795331962", &a));
    ASSERT_OK(parse_field("timestamp", "1795331962.0", &b));
    ck_assert_mem_eq(a.hash, b.hash, 32);
    ck_assert(a.timestamp >= 1795331962.0 && a.timestamp <= 1795331962.0);
}
END_TEST

START_TEST(headers_are_read_strictly)
{
    struct header h;
    AUTOFREE char *no_hash = header_text("", "", "");
    AUTOFREE char *bad_hash = header_text("", "", "0");
    char long_text[200] = "\"";
    static const char *const bad[][2] = {
        {"index", "18446744073709551616"},
        {"index", ""},
        {"nonce", ""},
        {"nonce", "1e0"},
        {"difficulty", ""},
        {"difficulty", "65"},
        {"difficulty", "4294967297"},
        {"timestamp", ""},
        {"timestamp", "-0.0"},
        {"timestamp", "253402300799.1"},
        {"previous_hash", ""},
        {"merkle_root", ""},
        {"merkle_root",
         "\"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\""},
        {"version", "1.0"},
        {"version", "-1"},
        {"signature", ""},
        {"signature", "\"\""},
        {"signature", "1"},
        {"miner_pubkey", ""},
        {"miner_pubkey", "\"a\\u0000b\""},
        {"miner_pubkey", "null,\"header\":{}"},
        {"miner_pubkey", "null,\"extra\":1"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_malformed(bad[i][0], bad[i][1]);
    memset(long_text + 1, 'a', 129);
    long_text[130] = '"';
    assert_malformed("signature", long_text);
    assert_malformed("miner_pubkey", long_text);
    ASSERT_ERR(ERR_VERIFY, parse(no_hash, &h));
    ck_assert_int_eq(test_err.reason, REASON_BLOCK_MALFORMED);
    ASSERT_ERR(ERR_VERIFY, parse(bad_hash, &h));
    ck_assert_int_eq(test_err.reason, REASON_BLOCK_MALFORMED);
    ASSERT_ERR(ERR_VERIFY, parse("[]", &h));
    ck_assert_int_eq(test_err.reason, REASON_BLOCK_MALFORMED);
    ASSERT_OK(parse_field("nonce", "18446744073709551615", &h));
    ck_assert_uint_eq(h.nonce, UINT64_MAX);
    ASSERT_OK(parse_field("version", "null", &h));
    ck_assert(!h.has_version);
    ASSERT_OK(parse_field("version", "", &h));
    ck_assert(!h.has_version);
    ASSERT_OK(parse_field("difficulty", "64", &h));
    ASSERT_OK(parse_field("miner_pubkey", "\"genesis_miner_pubkey\"", &h));
    ck_assert_str_eq(h.miner_pubkey, "genesis_miner_pubkey");
}
END_TEST

START_TEST(work_is_counted_in_hex_zeros)
{
    struct header h = {0};

    memset(h.hash, 0xff, sizeof(h.hash));
    ck_assert(header_has_pow(&h));
    h.difficulty = 1;
    ck_assert(!header_has_pow(&h));
    h.hash[0] = 0x0f;
    ck_assert(header_has_pow(&h));
    h.difficulty = 3;
    h.hash[0] = 0;
    ck_assert(!header_has_pow(&h));
    h.hash[1] = 0x0f;
    ck_assert(header_has_pow(&h));
    h.difficulty = 64;
    ck_assert(!header_has_pow(&h));
    memset(h.hash, 0, sizeof(h.hash));
    ck_assert(header_has_pow(&h));
    h.difficulty = 65;
    ck_assert(!header_has_pow(&h));
}
END_TEST

static struct chain_params params_of(const struct json *v)
{
    struct chain_params p = {0};

    p.min_difficulty_after_gap = strcmp(text_of(v, "network"), "mainnet") != 0;
    p.max_difficulty = bool_of(v, "fast_mining") && p.min_difficulty_after_gap ? 4 : 0;
    return p;
}

START_TEST(difficulty_is_that_of_stock)
{
    static struct header_window w;
    size_t n = 0;

    for (struct lines l = lines_open("vectors/difficulty.jsonl"); lines_next(&l); n++) {
        struct chain_params params = params_of(l.v);
        const struct json *t = json_get(l.v, "timestamps")->first;
        const struct json *d = json_get(l.v, "difficulties")->first;
        struct header h = {0};

        header_window_init(&w, 0);
        for (; t; t = t->next, d = d->next) {
            uint64_t difficulty;

            ck_assert(json_double(t, &h.timestamp) && json_u64(d, &difficulty));
            h.difficulty = (uint32_t)difficulty;
            header_window_push(&w, &h);
            h.height++;
        }
        ck_assert_msg(
            header_next_difficulty(&w, &params, double_of(l.v, "now") - h.timestamp) ==
                u64_of(l.v, "expected"),
            "%s %s", text_of(l.v, "name"), text_of(l.v, "network"));
    }
    ck_assert_uint_eq(n, 162);
}
END_TEST

/* A chain of made-up headers, spaced as asked, for windows that start anywhere. */
static void fill(struct header_window *w, uint64_t from, uint64_t to, double spacing,
                 uint32_t difficulty)
{
    header_window_init(w, from);
    for (uint64_t height = from; height < to; height++) {
        struct header h = {.height = height, .difficulty = difficulty};

        h.timestamp = 1e9 + (double)height * spacing;
        header_window_push(w, &h);
    }
}

/* A child of the window's last header that is right but for the work. */
static struct header child_of(const struct header_window *w, double gap,
                              uint32_t difficulty)
{
    struct header h = {.height = w->next_height, .difficulty = difficulty};

    memcpy(h.prev, w->last_hash, 32);
    h.timestamp = w->timestamp[(w->next_height - 1) % HEADER_WINDOW] + gap;
    h.version = 1;
    h.has_version = true;
    return h;
}

static void assert_check(const struct header *h, const struct header_window *w,
                         const struct chain_params *p, enum reason want)
{
    enum errc rc = header_check(h, w, p, &test_err);

    ck_assert_int_eq(rc == ERR_OK ? REASON_NONE : test_err.reason, want);
}

START_TEST(windows_above_genesis_retarget_at_absolute_heights)
{
    static struct header_window w;
    struct chain_params p = {.max_difficulty = 0};

    fill(&w, 1000, 1153, 60, 4); /* 1153 = 8 * 144 + 1 */
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 8);
    fill(&w, 1000, 1152, 60, 4);
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 4);
    fill(&w, 1, 4032, 30, 4);
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 1); /* 4032 = 2 * 2016 */
    fill(&w, 1, 4033, 60, 4);
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 8); /* and 28 * 144 + 1 */
}
END_TEST

START_TEST(the_long_retarget_spans_2016_headers)
{
    static struct header_window w;
    struct chain_params p = {.max_difficulty = 0};

    fill(&w, 0, 2016, 120, 8);
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 8);
    w.timestamp[0] -= 241920; /* the first of them counts */
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 16);
    fill(&w, 0, 2017, 120, 8); /* one later none is due */
    w.timestamp[1] -= 241920;
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 8);
}
END_TEST

START_TEST(halves_are_rounded_to_even)
{
    static struct header_window w;
    struct chain_params p = {.max_difficulty = 0};

    fill(&w, 0, 145, 10000, 10);
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 2); /* 10 / 4 */
    fill(&w, 0, 145, 10000, 6);
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 2); /* 6 / 4 */
    fill(&w, 0, 2016, 1, 10);
    ck_assert_uint_eq(header_next_difficulty(&w, &p, 60), 2);
}
END_TEST

START_TEST(a_short_window_bounds_the_long_retarget)
{
    static struct header_window w;
    struct chain_params p = {.max_difficulty = 0};

    fill(&w, 3800, 4032, 60, 4);
    for (uint32_t d = 0; d <= 18; d++) {
        struct header h = child_of(&w, 60, d);

        assert_check(&h, &w, &p,
                     d >= 1 && d <= 16 ? REASON_NONE : REASON_BLOCK_BAD_DIFFICULTY);
    }
}
END_TEST

START_TEST(a_gap_demands_difficulty_one)
{
    static struct header_window w;
    struct chain_params p = {.min_difficulty_after_gap = true, .max_difficulty = 4};
    static const struct {
        double gap;
        bool one, regular;
    } cases[] = {{1199.9, false, true}, {1200, true, true},    {1201.5, true, true},
                 {1202, true, true},    {1202.1, true, false}, {1e6, true, false}};

    fill(&w, 0, 10, 60, 3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct header one = child_of(&w, cases[i].gap, 1);
        struct header regular = child_of(&w, cases[i].gap, 3);
        struct header other = child_of(&w, cases[i].gap, 2);

        assert_check(&one, &w, &p,
                     cases[i].one ? REASON_NONE : REASON_BLOCK_BAD_DIFFICULTY);
        assert_check(&regular, &w, &p,
                     cases[i].regular ? REASON_NONE : REASON_BLOCK_BAD_DIFFICULTY);
        assert_check(&other, &w, &p, REASON_BLOCK_BAD_DIFFICULTY);
    }
    p.min_difficulty_after_gap = false; /* mainnet has no such rule */
    struct header h = child_of(&w, 1e6, 3);
    assert_check(&h, &w, &p, REASON_NONE);
    h.difficulty = 1;
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_DIFFICULTY);
}
END_TEST

START_TEST(each_rule_has_its_reason)
{
    static struct header_window w;
    struct chain_params p = {.max_difficulty = 4};
    struct header good, h;

    fill(&w, 0, 20, 60, 2);
    good = child_of(&w, 60, 2);
    assert_check(&good, &w, &p, REASON_NONE);
    h = good;
    h.height++;
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_LINK);
    h = good;
    h.prev[31] ^= 1;
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_LINK);
    h = good;
    h.version = 2;
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_VERSION);
    h = good;
    h.has_version = false;
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_VERSION);
    h = good;
    h.hash[0] = 1;
    assert_check(&h, &w, &p, REASON_BLOCK_LOW_POW);
    h = good;
    h.difficulty = 0;
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_DIFFICULTY);
    h = child_of(&w, 0, 2);
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_TIMESTAMP);
    h = child_of(&w, -1, 2);
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_TIMESTAMP);
    h = child_of(&w, 1e-6, 2);
    assert_check(&h, &w, &p, REASON_NONE);
}
END_TEST

START_TEST(time_must_pass_the_median_of_eleven)
{
    static struct header_window w;
    struct chain_params p = {.max_difficulty = 4};
    struct header h = {.difficulty = 1};

    /* headers whose time goes back, as only a window that was not checked can have */
    header_window_init(&w, 0);
    for (uint64_t i = 0; i < 12; i++) {
        h.height = i;
        h.timestamp = 2000.0 - (double)i;
        header_window_push(&w, &h);
    }
    h = child_of(&w, 5, 1); /* 1994 is the median of 1989..1999 */
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_TIMESTAMP);
    h = child_of(&w, 5.5, 1);
    assert_check(&h, &w, &p, REASON_NONE);
    header_window_init(&w, 0);
    for (uint64_t i = 0; i < 2; i++) {
        h.height = i;
        h.timestamp = 2000.0 - (double)i * 2;
        header_window_push(&w, &h);
    }
    h = child_of(&w, 1, 1); /* mean of 1998 and 2000 */
    assert_check(&h, &w, &p, REASON_BLOCK_BAD_TIMESTAMP);
    h = child_of(&w, 1.5, 1);
    assert_check(&h, &w, &p, REASON_NONE);
}
END_TEST

START_TEST(a_window_must_be_deep_enough)
{
    static struct header_window w;
    struct chain_params p = {.max_difficulty = 4};
    struct header h;

    fill(&w, 1000, 1144, 60, 2);
    h = child_of(&w, 60, 2);
    assert_check(&h, &w, &p, REASON_INTERNAL);
    fill(&w, 999, 1144, 60, 2);
    h = child_of(&w, 60, 2);
    assert_check(&h, &w, &p, REASON_NONE);
}
END_TEST

START_TEST(the_fixture_headers_are_a_valid_chain)
{
    static struct header_window w;
    struct header first = {0};

    header_window_init(&w, 0);
    for (struct lines l = lines_open("chain/headers.jsonl"); lines_next(&l);) {
        struct header h;

        ASSERT_OK(header_parse(l.v, &h, &test_err));
        ASSERT_OK(header_check(&h, &w, testnet(), &test_err));
        ASSERT_OK(header_check_signature(&h, &test_err));
        if (h.height == 0)
            first = h;
        header_window_push(&w, &h);
    }
    ck_assert_uint_eq(w.next_height, 241);
    assert_check(&first, &w, testnet(), REASON_BLOCK_BAD_LINK);
    header_window_init(&w, 0);
    first.hash[31] ^= 1;
    assert_check(&first, &w, testnet(), REASON_BLOCK_BAD_LINK);
}
END_TEST

START_TEST(bare_headers_of_a_restarted_node_are_read)
{
    struct json_doc *doc = lines_document("http/restarted_node_blocks_limit1.json");
    struct header h;

    ASSERT_OK(header_parse(json_get(json_root(doc), "blocks")->first, &h, &test_err));
    ck_assert_uint_eq(h.height, 228);
    ASSERT_OK(header_check_signature(&h, &test_err));
    json_free(doc);
}
END_TEST

START_TEST(the_miners_signature_is_none_or_good)
{
    struct lines l = lines_open("chain/headers.jsonl");
    struct header h = {0}, bad;

    while (lines_next(&l))
        if (h.height < 5)
            ASSERT_OK(header_parse(l.v, &h, &test_err));
    ASSERT_OK(header_check_signature(&h, &test_err));
    bad = h;
    bad.signature[10] ^= 1;
    ASSERT_ERR(ERR_VERIFY, header_check_signature(&bad, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_BLOCK_BAD_SIGNATURE);
    bad = h;
    bad.signature[0] = '\0';
    ASSERT_ERR(ERR_VERIFY, header_check_signature(&bad, &test_err));
    bad.miner_pubkey[0] = '\0';
    ASSERT_OK(header_check_signature(&bad, &test_err));
    bad = h;
    bad.miner_pubkey[0] = '\0';
    ASSERT_ERR(ERR_VERIFY, header_check_signature(&bad, &test_err));
    bad = h;
    bad.hash[31] ^= 1;
    ASSERT_ERR(ERR_VERIFY, header_check_signature(&bad, &test_err));
}
END_TEST

START_TEST(two_hours_ahead_is_the_future)
{
    struct header h = {.timestamp = 10000};

    ck_assert(!header_is_from_future(&h, (10000 - 7200) * 1000));
    ck_assert(header_is_from_future(&h, (10000 - 7200) * 1000 - 1));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("header");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, hashes_are_those_of_stock);
    tcase_add_test(tc, what_stock_coerces_is_refused);
    tcase_add_test(tc, an_integer_timestamp_is_hashed_as_a_float);
    tcase_add_test(tc, headers_are_read_strictly);
    tcase_add_test(tc, work_is_counted_in_hex_zeros);
    tcase_add_test(tc, difficulty_is_that_of_stock);
    tcase_add_test(tc, windows_above_genesis_retarget_at_absolute_heights);
    tcase_add_test(tc, the_long_retarget_spans_2016_headers);
    tcase_add_test(tc, halves_are_rounded_to_even);
    tcase_add_test(tc, a_short_window_bounds_the_long_retarget);
    tcase_add_test(tc, a_gap_demands_difficulty_one);
    tcase_add_test(tc, each_rule_has_its_reason);
    tcase_add_test(tc, time_must_pass_the_median_of_eleven);
    tcase_add_test(tc, a_window_must_be_deep_enough);
    tcase_add_test(tc, the_fixture_headers_are_a_valid_chain);
    tcase_add_test(tc, bare_headers_of_a_restarted_node_are_read);
    tcase_add_test(tc, the_miners_signature_is_none_or_good);
    tcase_add_test(tc, two_hours_ahead_is_the_future);
    suite_add_tcase(s, tc);
    return s;
}
