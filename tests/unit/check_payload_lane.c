#include "sync/snapshot/payload_lane.h"
#include "tests/unit/payload_kit.h"

/*
 * The fast lane against the general walk: the same text must give the same coins, hash
 * and refusal by both, whatever it is and wherever it is cut between two pieces.
 */
enum { PIECES = 2 };

struct outcome {
    enum errc rc;
    enum reason reason;
    bool disorder, entered; /* the lane took something */
    uint8_t hash[32], root[32];
    uint64_t unspent, spent;
};

static struct pk kit;

/* Memory where there is some: thousands of coin files are synced. */
static void set_up(void)
{
    pk_init_in(&kit, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static void tear_down(void)
{
    (void)unlink(kit.coins);
    (void)unlink(kit.idx);
    pk_fini(&kit);
}

/* As payload_stream does: the text up to cut, the rest, and that nothing follows. */
static enum errc feed(struct payload_walk *walk, bool by_lane, const char *text,
                      size_t len, size_t cut, bool *entered)
{
    const struct payload_sink sink = {payload_walk_event, walk};
    CLEANUP(payload_parser_free)
    struct payload_parser *p = payload_parser_create(&sink);
    struct payload_lane lane = {.walk = walk};
    const size_t ends[PIECES + 1] = {cut, len, len};
    enum errc rc = ERR_OK;
    size_t at = 0, used;

    for (size_t i = 0; !rc && i <= PIECES; i++) {
        const struct payload_text t = {text + at, ends[i] - at, i == PIECES};

        used = t.len;
        rc = by_lane ? payload_lane_feed(&lane, p, &t, &used, &kit.err)
                     : payload_parser_feed(p, t.text, t.len, &kit.err);
        at += used;
        *entered = *entered || lane.any_list || lane.any_entry;
    }
    return rc ? rc : payload_parser_finish(p, &kit.err);
}

static enum errc settle(struct payload_walk *walk, struct outcome *o)
{
    static const struct coinfile_id id = {.network = "testnet", .height = 200};
    struct payload_totals totals = {0};
    struct payload_result result = {0};
    bool have = false;
    enum errc rc = payload_frame_totals(&walk->frame, &have, &totals, &kit.err);

    if (!rc)
        rc = payload_walk_hash(walk, o->hash, &kit.err);
    if (!rc)
        rc = payload_coins_write(walk->coins, &totals, &id, &result, &kit.err);
    memcpy(o->root, result.coins.state_root, sizeof(o->root));
    o->unspent = result.unspent;
    o->spent = result.spent;
    return rc;
}

static struct outcome run(bool by_lane, bool in_order, const char *text, size_t len,
                          size_t cut)
{
    const struct payload_canon_options opt = {in_order, kit.dir, 4096};
    const struct payload_paths paths = {kit.payload, kit.coins, kit.idx, kit.dir};
    CLEANUP(payload_canon_free) struct payload_canon *canon = NULL;
    CLEANUP(payload_coins_free) struct payload_coins *coins = NULL;
    struct outcome o = {0};
    struct payload_walk walk;

    kit.err = (struct err){0};
    ASSERT_OK(payload_canon_create(&opt, &canon, &kit.err));
    ASSERT_OK(payload_coins_create(&paths, &kit.limits, NULL, &coins, &kit.err));
    payload_walk_init(&walk);
    walk.canon = canon;
    walk.coins = coins;
    walk.in_order = in_order;
    o.rc = feed(&walk, by_lane, text, len, cut, &o.entered);
    if (!o.rc)
        o.rc = settle(&walk, &o);
    o.reason = kit.err.reason;
    o.disorder = walk.disorder;
    payload_walk_fini(&walk);
    return o;
}

/* What the lane gave. */
static struct outcome assert_same(const char *text, size_t len, size_t cut)
{
    struct outcome lane = {0};

    for (int in_order = 0; in_order <= 1; in_order++) {
        struct outcome walk = run(false, in_order, text, len, cut);
        struct err general = kit.err;

        lane = run(true, in_order, text, len, cut);
        ck_assert_msg(lane.rc == walk.rc && lane.reason == walk.reason &&
                          lane.disorder == walk.disorder,
                      "cut %zu of %.*s: lane %s, walk %s", cut, (int)len, text,
                      lane.rc ? kit.err.msg : "good", walk.rc ? general.msg : "good");
        ck_assert_mem_eq(lane.hash, walk.hash, sizeof(lane.hash));
        ck_assert_mem_eq(lane.root, walk.root, sizeof(lane.root));
        ck_assert_uint_eq(lane.unspent, walk.unspent);
        ck_assert_uint_eq(lane.spent, walk.spent);
        if (!lane.rc && !lane.entered)
            ck_assert_str_eq(general.msg, kit.err.msg);
    }
    return lane;
}

/* As stock spells it: two lists, a spent coin, the amounts' kinds. */
static char *small_payload(void)
{
    struct buf b = BUF(1U << 16);

    buf_puts(&b, "{\"data\": {\"utxo_snapshot\": {\"total_utxos\": 4, \"total_value\": "
                 "14.1200123456789012, \"utxo_set\": {\"aB\": [");
    pk_entry(&b, "aB", '3', 7, "12.12", false);
    buf_puts(&b, ", ");
    pk_entry(&b, "aB", 'd', 0, "1.2345678901234e-05", false);
    buf_puts(&b, "], \"c\": [");
    pk_entry(&b, "c", '1', 12, "2", false);
    buf_puts(&b, ", ");
    pk_entry(&b, "c", '2', 0, "0.1", true);
    buf_puts(&b, ", ");
    pk_entry(&b, "c", '2', 1, "0.0", false);
    buf_puts(&b, "]}}}, \"height\": 200}");
    return buf_take(&b);
}

START_TEST(a_small_payload_goes_by_the_lane)
{
    AUTOFREE char *text = small_payload();
    size_t len = strlen(text);
    struct outcome o = assert_same(text, len, len);

    ck_assert_msg(o.rc == ERR_OK, "%s", kit.err.msg);
    ck_assert(o.entered);
    ck_assert_uint_eq(o.unspent, 4);
    ck_assert_uint_eq(o.spent, 1);
}
END_TEST

START_TEST(cut_between_two_pieces_anywhere)
{
    AUTOFREE char *text = small_payload();
    size_t len = strlen(text);

    for (size_t cut = 0; cut <= len; cut++)
        ck_assert(assert_same(text, len, cut).rc == ERR_OK);
}
END_TEST

START_TEST(ended_anywhere)
{
    AUTOFREE char *text = small_payload();

    for (size_t len = strlen(text) - 1; len > 0; len--)
        ck_assert(assert_same(text, len, len / 2).rc != ERR_OK);
}
END_TEST

START_TEST(changed_at_any_byte)
{
    static const char others[] = "0a9A \"\\,:]}{[-.e+\x1f\x7f\xc3";
    AUTOFREE char *text = small_payload();
    size_t len = strlen(text), taken = 0;

    for (size_t at = 0; at < len; at++) {
        char was = text[at];

        /* a few at each place: all of them over a few places */
        for (size_t i = at % 3; i < sizeof(others) - 1; i += 3) {
            text[at] = others[i];
            taken += assert_same(text, len, len).rc == ERR_OK;
        }
        text[at] = was;
    }
    ck_assert_uint_gt(taken, 100);
}
END_TEST

START_TEST(without_a_byte_or_with_one_twice)
{
    AUTOFREE char *text = small_payload();
    size_t len = strlen(text);
    AUTOFREE char *other = xcalloc(len + 2, 1);

    for (size_t at = 0; at < len; at++) {
        memcpy(other, text, at);
        memcpy(other + at, text + at + 1, len - at - 1);
        (void)assert_same(other, len - 1, len - 1);
        memcpy(other, text, at + 1);
        memcpy(other + at + 1, text + at, len - at);
        (void)assert_same(other, len + 1, len + 1);
    }
}
END_TEST

static char *with_amount(const char *amount)
{
    struct buf b = BUF(1U << 16);

    buf_puts(&b, "{\"data\": {\"utxo_snapshot\": {\"total_utxos\": 2, \"total_value\": "
                 "1.0, \"utxo_set\": {\"a\": [");
    pk_entry(&b, "a", '1', 0, amount, false);
    buf_puts(&b, ", ");
    pk_entry(&b, "a", '2', 4294967295U, "0.5", false);
    buf_puts(&b, "]}}}}");
    return buf_take(&b);
}

START_TEST(amounts_in_any_spelling)
{
    static const char *const amounts[] = {"0.5",
                                          "0.50",
                                          ".5",
                                          "5e-1",
                                          "0.5e0",
                                          "00.5",
                                          "+0.5",
                                          "-0.5",
                                          "-0",
                                          "-0.0",
                                          "0",
                                          "0.0",
                                          "0.00",
                                          "1.",
                                          "01",
                                          "1e400",
                                          "1E-5",
                                          "1e-05",
                                          "0.00001",
                                          "0.0001",
                                          "0.00012",
                                          "1e-18",
                                          "1e-19",
                                          "1.5e-18",
                                          "1e+16",
                                          "1e16",
                                          "1E16",
                                          "121000000.0",
                                          "121000000.1",
                                          "999999999999999",
                                          "1000000000000000",
                                          "0.1234567890123456",
                                          "0.12345678901234567",
                                          "0.123456789012345678",
                                          "123456.123456789",
                                          "100.0",
                                          "100",
                                          "1e2",
                                          "1.7976931348623157e+308",
                                          "NaN",
                                          "Infinity",
                                          "\"1\"",
                                          "null",
                                          "true",
                                          "{}",
                                          "1 ",
                                          " 1",
                                          "1,\"x\":1"};

    for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
        AUTOFREE char *text = with_amount(amounts[i]);

        (void)assert_same(text, strlen(text), strlen(text));
    }
}
END_TEST

/* Each good or bad in its own way, after what the lane has taken. */
START_TEST(lists_in_any_spelling)
{
    static const char *const rest[] = {"",
                                       ", ",
                                       ", \"b\": []",
                                       ", \"b\": [ ]",
                                       ",\"b\": []",
                                       ", \"b\":[]",
                                       ", \"\\u0062\": []",
                                       ", \"a\": []",
                                       ", \"A\": []",
                                       ", \"\": []",
                                       ", \"b\": [null]",
                                       ", \"b\": [1, 2]",
                                       ", \"b\": {}",
                                       ", \"b\": null",
                                       ", \"b\": [{}]",
                                       ", \"b\": [], \"c\": []",
                                       ", \"b\": [], \"b\": []",
                                       ", \"c\": [], \"b\": []",
                                       ", \"\xc3\xa9\": []",
                                       ", \"\xff\": []",
                                       ", \"a\x7f\": []",
                                       ", \"b\" : []",
                                       ", \"b\": []]",
                                       ", \"b\": [}",
                                       " ",
                                       "\n, \"b\": []"};

    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
        CLEANUP_BUF struct buf b = BUF(1U << 16);

        buf_puts(&b, "{\"data\": {\"utxo_snapshot\": {\"total_utxos\": 1, "
                     "\"total_value\": 0.5, \"utxo_set\": {\"a\": [");
        pk_entry(&b, "a", '1', 0, "0.5", false);
        buf_printf(&b, "]%s}}}}", rest[i]);
        (void)assert_same(b.data, b.len, b.len);
        (void)assert_same(b.data, b.len, b.len - 10);
    }
}
END_TEST

START_TEST(the_limit_of_coins_is_the_same)
{
    AUTOFREE char *text = small_payload();
    size_t len = strlen(text);

    for (uint64_t max = 0; max <= 5; max++) {
        struct outcome o;

        kit.limits.max_coins = max;
        o = assert_same(text, len, len);
        ck_assert_int_eq(o.reason, max < 5 ? REASON_PAYLOAD_TOO_LARGE : REASON_NONE);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("payload_lane");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_small_payload_goes_by_the_lane);
    tcase_add_test(tc, cut_between_two_pieces_anywhere);
    tcase_add_test(tc, ended_anywhere);
    tcase_add_test(tc, changed_at_any_byte);
    tcase_add_test(tc, without_a_byte_or_with_one_twice);
    tcase_add_test(tc, amounts_in_any_spelling);
    tcase_add_test(tc, lists_in_any_spelling);
    tcase_add_test(tc, the_limit_of_coins_is_the_same);
    suite_add_tcase(s, tc);
    return s;
}
