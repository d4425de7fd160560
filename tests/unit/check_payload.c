#include "sync/chain/unspent.h"
#include "tests/unit/payload_kit.h"

static struct pk p;

static void setup(void)
{
    pk_init(&p);
}

static void teardown(void)
{
    pk_fini(&p);
}

struct list {
    struct coin coins[1000];
    size_t n;
};

static enum errc collect(void *arg, const struct coin *coin, struct err *err)
{
    struct list *l = arg;

    (void)err;
    ck_assert_uint_lt(l->n, 1000);
    l->coins[l->n++] = *coin;
    return ERR_OK;
}

static void unspent_of_file(char hex[65])
{
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    struct list *l = xcalloc(1, sizeof(*l));
    uint8_t root[32];

    ASSERT_OK(coinfile_open(p.coins, p.idx, p.result.coins.state_root, &f, &test_err));
    ASSERT_OK(coinfile_verify(f, NULL, &test_err));
    ASSERT_OK(coinfile_scan(f, collect, l, &test_err));
    unspent_root(l->coins, l->n, root);
    hex_encode(root, 32, hex);
    free(l);
}

/* The stock node's own unspent root, state hash and totals, at four heights. */
START_TEST(fixtures_give_the_states_that_stock_has)
{
    static const struct {
        const char *file;
        uint64_t height, unspent, spent;
        const char *state_hash, *root, *total;
    } cases[] = {
        {"payload_50.json", 50, 153, 117,
         "9fbe349b76f4946d25ab10c11993ce5a1b0a7a299a3231b99a3e10dd4412cd75",
         "76a071cd2fa1757ab509229d40dc75047968c94344281312138f6be65aa4235a",
         "61500438.40696"},
        {"payload_100.json", 100, 312, 268,
         "fd5029e2478fd38007291ef69662f4eb8e5b3537f1ce724581aa4e3744a8365d",
         "dd1722a45b1277a30e4931d4e39b785263b262a316dd005a904a4e201c0c4366",
         "61500993.82996"},
        {"payload_150.json", 150, 477, 130,
         "5841d7ea5ac9923aaf0bb9792ead118e4290a93100c4e37d3bba3bed7218e2a4",
         "516ef961a58b2c5cb3650a70ff8b4b1b0f9c03bb0c67f60da31253d078ce326d",
         "61501583.53156"},
        {"payload_200.json", 200, 634, 287,
         "905b0d16216e83fc772b9ba56a1c799e07f7a99b719fd8c7ade12ff1e6c8342a",
         "b173563504df12d1032f229aa028fa2435bead8cfcebf2e460d05651f3070108",
         "61502176.10984"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char hex[65], total[U128_TEXT + 2];

        EXPECT_OK(&p, pk_ingest_fixture(&p, cases[i].file));
        hex_encode(p.result.state_hash, 32, hex);
        ck_assert_str_eq(hex, cases[i].state_hash);
        ck_assert_str_eq(p.result.meta.state_hash, cases[i].state_hash);
        ck_assert_uint_eq(p.result.unspent, cases[i].unspent);
        ck_assert_uint_eq(p.result.spent, cases[i].spent);
        ck_assert_uint_eq(p.result.coins.coin_count, cases[i].unspent);
        ck_assert_uint_eq(p.result.coins.id.height, cases[i].height);
        ck_assert_str_eq(p.result.coins.id.network, "testnet");
        hex_encode(p.result.coins.id.block_hash, 32, hex);
        ck_assert_str_eq(hex, p.result.meta.block_hash);
        u128_amount_text(p.result.coins.total, total);
        ck_assert_msg(strncmp(total, cases[i].total, strlen(cases[i].total)) == 0, "%s",
                      total);
        unspent_of_file(hex);
        ck_assert_str_eq(hex, cases[i].root);
        ck_assert_uint_eq(atomic_load(&p.progress.bytes_done), p.result.bytes);
    }
}
END_TEST

START_TEST(bad_fixtures_get_their_reason)
{
    static const struct {
        const char *file;
        enum reason reason; /* NONE: the body is what it says */
        const char *says;
    } cases[] = {
        {"bad_0.json", REASON_PAYLOAD_HASH_MISMATCH, ""},
        {"bad_1.json", REASON_PAYLOAD_HASH_MISMATCH, ""},
        {"bad_2.json", REASON_PAYLOAD_HASH_MISMATCH, ""},
        {"bad_3.json", REASON_NONE, ""},
        {"bad_4.json", REASON_NONE, ""},
        {"bad_5.json", REASON_NONE, ""},
        {"bad_6.json", REASON_NONE, ""},
        {"bad_7.json", REASON_NONE, ""},
        {"bad_8.json", REASON_NONE, ""},
        {"bad_9.json", REASON_NONE, ""},
        {"bad_10.json", REASON_NONE, ""},
        {"bad_11.json", REASON_NONE, ""},
        {"bad_12.json", REASON_NONE, ""},
        {"bad_13.json", REASON_NONE, ""},
        {"bad_14.json", REASON_NONE, ""},
        {"bad_15.json", REASON_NONE, ""},
        {"bad_16.json", REASON_NONE, ""},
        {"bad_17.json", REASON_STATE_BOUNDS,
         "total_utxos is 634, unspent coins are 635"},
        {"bad_18.json", REASON_STATE_BOUNDS,
         "total_utxos is 634, unspent coins are 633"},
        {"bad_19.json", REASON_STATE_BOUNDS,
         "total_utxos is 634, unspent coins are 635"},
        {"bad_20.json", REASON_STATE_BOUNDS, "twice"},
        {"bad_21.json", REASON_STATE_BOUNDS, "address is not its list's"},
        {"bad_22.json", REASON_STATE_BOUNDS, "script is not P2PKH"},
        {"bad_23.json", REASON_NONE, ""},
        {"bad_24.json", REASON_STATE_BOUNDS, "total_value is 61502176.1"},
        {"bad_25.json", REASON_STATE_BOUNDS,
         "total_utxos is 635, unspent coins are 634"},
        {"bad_26.json", REASON_NONE, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)pk_ingest_fixture(&p, cases[i].file);
        ck_assert_msg(p.err.reason == cases[i].reason, "%s: %s: %s", cases[i].file,
                      reason_code(p.err.reason), p.err.msg);
        ck_assert_msg(strstr(p.err.msg, cases[i].says) != NULL, "%s: %s", cases[i].file,
                      p.err.msg);
    }
}
END_TEST

static void set_of(struct buf *out, const char *lists, const char *count,
                   const char *value)
{
    buf_printf(out,
               "{\"utxo_snapshot\": {\"total_utxos\": %s, \"total_value\": %s, "
               "\"utxo_set\": {%s}}}",
               count, value, lists);
}

static enum errc ingest_lists(const char *lists, const char *count, const char *value)
{
    CLEANUP_BUF struct buf data = BUF(1U << 20);

    set_of(&data, lists, count, value);
    return pk_ingest_data(&p, data.data);
}

/* One entry of TXAIa with this amount. */
static enum errc ingest_amount(const char *amount, const char *value)
{
    CLEANUP_BUF struct buf lists = BUF(1U << 20);

    buf_puts(&lists, "\"TXAIa\": [");
    pk_entry(&lists, "TXAIa", '1', 0, amount, false);
    buf_puts(&lists, "]");
    return ingest_lists(lists.data, "1", value);
}

START_TEST(an_empty_set_and_one_coin_are_states)
{
    EXPECT_OK(&p, ingest_lists("", "0", "0"));
    ck_assert_uint_eq(p.result.coins.coin_count, 0);
    EXPECT_OK(&p, ingest_lists("", "0", "0.0"));
    EXPECT_OK(&p, ingest_lists("\"TXAIa\": []", "0", "0.0"));
    EXPECT_OK(&p, ingest_amount("12.12", "12.12"));
    ck_assert_uint_eq(p.result.coins.coin_count, 1);
    EXPECT_OK(&p,
              ingest_amount("12", "12")); /* an int amount is a value like another */
}
END_TEST

START_TEST(totals_are_exact_within_their_tolerance)
{
    EXPECT_OK(&p, ingest_amount("12.12", "12.120000999"));
    EXPECT_OK(&p, ingest_amount("12.12", "12.119999001"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("12.12", "12.120001001"));
    EXPECT_SAYS(&p, "total_value");
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("12.12", "12.119998999"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("12.12", "-12.12"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("12.12", "1e300"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_lists("", "1", "0"));
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, ingest_lists("", "0.0", "0"));
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, ingest_lists("", "-1", "0"));
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, ingest_lists("", "\"0\"", "0"));
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, ingest_lists("", "0", "\"0\""));
    EXPECT_REASON(&p, PAYLOAD_MALFORMED, ingest_lists("", "0", "true"));
}
END_TEST

START_TEST(amounts_stay_within_the_chain)
{
    EXPECT_OK(&p, ingest_amount("0.0", "0.0"));
    EXPECT_OK(&p, ingest_amount("1e-18", "0.0"));
    EXPECT_OK(&p, ingest_amount("121000000.0", "121000000.0"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("-0.5", "-0.5"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("-0.0", "0.0"));
    EXPECT_SAYS(&p, "negative");
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("-1", "-1"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("121000000.00000002", "121000000.0"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("0.0012345678901234567", "0.0"));
    EXPECT_SAYS(&p, "18 decimals");
    EXPECT_OK(&p, ingest_amount("-0", "0")); /* an int, and canonically 0 */
    p.limits.max_supply = (u128)12 * (u128)1000000000000000000U;
    EXPECT_OK(&p, ingest_amount("12.0", "12.0"));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_amount("12.000000000000002", "12.0"));
    EXPECT_SAYS(&p, "more than can exist");
}
END_TEST

START_TEST(the_script_is_the_one_of_the_address)
{
    static const char *const scripts[] = {"P2PKH TXAIa",
                                          "P2PKX TXAIa",
                                          "P2PKH TXAIb",
                                          "P2PKH TXAIa ",
                                          "P2PKHTXAIa",
                                          "TXAIa",
                                          ""};

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        CLEANUP_BUF struct buf lists = BUF(1U << 20), changed = BUF(1U << 20);
        char *at;

        buf_puts(&lists, "\"TXAIa\": [");
        pk_entry(&lists, "TXAIa", '1', 0, "1.0", false);
        buf_puts(&lists, "]");
        at = strstr(lists.data, "P2PKH TXAIa");
        buf_put(&changed, lists.data, (size_t)(at - lists.data));
        buf_puts(&changed, scripts[i]);
        buf_puts(&changed, at + strlen("P2PKH TXAIa"));
        (void)ingest_lists(changed.data, "1", "1.0");
        ck_assert_msg(p.err.reason == (i == 0 ? REASON_NONE : REASON_STATE_BOUNDS),
                      "%s", scripts[i]);
    }
}
END_TEST

START_TEST(a_coin_may_be_there_once)
{
    CLEANUP_BUF struct buf lists = BUF(1U << 20);

    buf_puts(&lists, "\"TXAIa\": [");
    pk_entry(&lists, "TXAIa", '1', 7, "1.0", false);
    buf_puts(&lists, ", ");
    pk_entry(&lists, "TXAIa", '1', 7, "1.0", false);
    buf_puts(&lists, "]");
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_lists(lists.data, "2", "2.0"));
    EXPECT_SAYS(&p, ":7 twice");

    buf_reset(&lists);
    buf_puts(&lists, "\"TXAIa\": [");
    pk_entry(&lists, "TXAIa", '1', 7, "1.0", false);
    buf_puts(&lists, "], \"TXAIb\": [");
    pk_entry(&lists, "TXAIb", '1', 7, "1.0", false);
    buf_puts(&lists, "]");
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_lists(lists.data, "2", "2.0"));
    EXPECT_SAYS(&p, ":7 twice");
}
END_TEST

/* first and second: is the entry spent? */
static enum errc ingest_pair(bool first, bool second, unsigned vout)
{
    CLEANUP_BUF struct buf lists = BUF(1U << 20);
    char count[2] = {(char)('2' - first - second), '\0'};

    buf_puts(&lists, "\"TXAIa\": [");
    pk_entry(&lists, "TXAIa", '1', 7, "1.0", first);
    buf_puts(&lists, ", ");
    pk_entry(&lists, "TXAIa", '1', vout, "1.0", second);
    buf_puts(&lists, "]");
    return ingest_lists(lists.data, count, count);
}

START_TEST(spent_entries_are_checked_and_dropped)
{
    EXPECT_OK(&p, ingest_pair(true, false, 8));
    ck_assert_uint_eq(p.result.unspent, 1);
    ck_assert_uint_eq(p.result.spent, 1);
    ck_assert_uint_eq(p.result.coins.coin_count, 1);
    EXPECT_OK(&p, ingest_pair(true, true, 8));
    EXPECT_OK(&p, ingest_pair(true, true, 7)); /* says nothing about the state */
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_pair(true, false, 7));
    EXPECT_REASON(&p, STATE_BOUNDS, ingest_pair(false, true, 7));
    EXPECT_SAYS(&p, "twice");
}
END_TEST

START_TEST(limits_on_bytes_and_coins_hold)
{
    p.limits.max_coins = 921;
    EXPECT_OK(&p, pk_ingest_fixture(&p, "payload_200.json"));
    p.limits.max_coins = 920;
    EXPECT_REASON(&p, PAYLOAD_TOO_LARGE, pk_ingest_fixture(&p, "payload_200.json"));
    EXPECT_SAYS(&p, "over 920 coins");
    p.limits.max_coins = 921;
    p.limits.max_bytes = 238761;
    EXPECT_OK(&p, pk_ingest_fixture(&p, "payload_200.json"));
    p.limits.max_bytes = 238760;
    EXPECT_REASON(&p, PAYLOAD_TOO_LARGE, pk_ingest_fixture(&p, "payload_200.json"));
}
END_TEST

START_TEST(cancel_ends_it)
{
    atomic_store(&p.progress.cancel, true);
    ASSERT_ERR(ERR_CANCELED, pk_ingest_fixture(&p, "payload_200.json"));
    ck_assert_int_eq(p.err.reason, REASON_CANCELLED);
}
END_TEST

START_TEST(what_is_no_file_is_an_error_of_its_own)
{
    ASSERT_ERR(ERR_IO, pk_ingest_file(&p, "/nonexistent/payload.json"));
    ASSERT_ERR(ERR_INVALID, pk_ingest_file(&p, p.dir));
    ASSERT_ERR(ERR_INVALID, pk_ingest_file(&p, "/dev/zero"));
}
END_TEST

START_TEST(a_wrong_hash_goes_before_a_broken_bound)
{
    CLEANUP_BUF struct buf text = BUF(1U << 20);
    CLEANUP_BUF struct buf lists = BUF(1U << 20), data = BUF(1U << 20);
    char *hash;

    buf_puts(&lists, "\"TXAIa\": [");
    pk_entry(&lists, "TXAIb", '1', 7, "-1.0", false);
    buf_puts(&lists, "]");
    set_of(&data, lists.data, "9", "9.0");
    pk_wrap(data.data, &text);
    EXPECT_REASON(&p, STATE_BOUNDS, pk_ingest(&p, text.data, text.len));
    hash = strstr(text.data, "state_hash\": \"") + 14;
    *hash = *hash == '0' ? '1' : '0';
    EXPECT_REASON(&p, PAYLOAD_HASH_MISMATCH, pk_ingest(&p, text.data, text.len));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("payload");
    TCase *tc = tcase_create("ingest");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, fixtures_give_the_states_that_stock_has);
    tcase_add_test(tc, bad_fixtures_get_their_reason);
    tcase_add_test(tc, an_empty_set_and_one_coin_are_states);
    tcase_add_test(tc, totals_are_exact_within_their_tolerance);
    tcase_add_test(tc, amounts_stay_within_the_chain);
    tcase_add_test(tc, the_script_is_the_one_of_the_address);
    tcase_add_test(tc, a_coin_may_be_there_once);
    tcase_add_test(tc, spent_entries_are_checked_and_dropped);
    tcase_add_test(tc, limits_on_bytes_and_coins_hold);
    tcase_add_test(tc, cancel_ends_it);
    tcase_add_test(tc, what_is_no_file_is_an_error_of_its_own);
    tcase_add_test(tc, a_wrong_hash_goes_before_a_broken_bound);
    suite_add_tcase(s, tc);
    return s;
}
