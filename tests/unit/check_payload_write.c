#include "base/pyfloat.h"
#include "sync/snapshot/payload_write.h"
#include "tests/unit/coins.h"
#include "tests/unit/payload_kit.h"

/* The payload out of coins: read back, and against what Python makes of the same. */

static struct pk p;

static void setup(void)
{
    pk_init(&p);
}

static void teardown(void)
{
    pk_fini(&p);
}

static enum errc add(void *arg, const struct coin *coin, struct err *err)
{
    return payload_writer_add(arg, coin, err);
}

static struct payload_writer *writer(size_t memory)
{
    const struct payload_write_options opt = {.tmp_dir = p.dir, .sort_memory = memory};
    struct payload_writer *w;

    ASSERT_OK(payload_writer_create(&opt, &w, &test_err));
    return w;
}

static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text = xcalloc(1, 64U << 20);

    ck_assert_ptr_nonnull(f);
    *len = fread(text, 1, (64U << 20) - 1, f);
    (void)fclose(f);
    return text;
}

/* What was ingested last, written and hashed. */
static void write_back(const char *out, struct payload_written *written)
{
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    CLEANUP(payload_writer_free) struct payload_writer *w = writer(64U << 10);
    struct payload_head head = {.height = p.result.meta.height};

    if (p.result.meta.has_work)
        head.work = p.result.meta.work;
    ck_assert(hex_hash(p.result.meta.block_hash, head.block_hash));
    ASSERT_OK(coinfile_open(p.coins, p.idx, NULL, &f, &test_err));
    ASSERT_OK(coinfile_scan(f, add, w, &test_err));
    ASSERT_OK(payload_writer_finish(w, out, &head, written, &test_err));
}

/*
 * state_hash of what Python's json.dumps(sort_keys=True) makes of each fixture with the
 * spent entries left out, lists by (txid, vout), total_value the double nearest to the
 * exact sum.
 */
START_TEST(fixtures_are_written_as_python_writes_them)
{
    static const struct {
        const char *file, *state_hash;
    } cases[] = {
        {"payload_50.json",
         "965d9c567d0e0bee4ceda78858cd4c44ac78e4db9799a2fd69c751693858f5e5"},
        {"payload_100.json",
         "a29712e8bb7d8d0c3df812742e87f3a691b117f1f1e24bdf8859ce52a85ede35"},
        {"payload_150.json",
         "53fbae16e6a2d8de6b8c8387d3972c681c6c1efd0c61522a1bc213700487638f"},
        {"payload_200.json",
         "4a2e1ec1f6e7260ae654e2cae0a55bc8727e7013c147f7b46acec9ca4d61f584"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct payload_written written;
        struct payload_result first;
        AUTOFREE char *out = xasprintf("%s/out.json", p.dir);
        char hex[65];

        EXPECT_OK(&p, pk_ingest_fixture(&p, cases[i].file));
        first = p.result;
        write_back(out, &written);
        hex_encode(written.state_hash, 32, hex);
        ck_assert_str_eq(hex, cases[i].state_hash);
        ck_assert_uint_eq(written.coins, first.unspent);
        ck_assert(written.total == first.coins.total);
        EXPECT_OK(&p, pk_ingest_file(&p, out));
        ck_assert_uint_eq(p.result.bytes, written.bytes);
        ck_assert_uint_eq(p.result.spent, 0);
        ck_assert_uint_eq(p.result.meta.height, first.meta.height);
        ck_assert_str_eq(p.result.meta.work, first.meta.work);
        ck_assert_str_eq(p.result.meta.block_hash, first.meta.block_hash);
        ck_assert_mem_eq(p.result.coins.state_root, first.coins.state_root, 32);
        (void)unlink(out);
    }
}
END_TEST

/* Canonical to the byte: what a JSON reader writes of it is the same text. */
static void expect_canonical(const char *path)
{
    const struct json_limits limits = {
        .max_bytes = 64U << 20, .max_nodes = 1U << 24, .max_depth = 100};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    CLEANUP_BUF struct buf canon = BUF(64U << 20);
    AUTOFREE char *text = NULL;
    size_t len;

    text = slurp(path, &len);
    ASSERT_OK(json_parse(text, len, &limits, &doc, &test_err));
    json_write(json_root(doc), JSON_SPACED, &canon);
    ck_assert_uint_eq(canon.len, len);
    ck_assert_mem_eq(canon.data, text, len);
}

static struct payload_written write_coins(const struct coin *coins, uint32_t n,
                                          size_t memory, const char *out)
{
    CLEANUP(payload_writer_free) struct payload_writer *w = writer(memory);
    struct payload_head head = {.height = 9};
    struct payload_written written;

    memset(head.block_hash, 0xab, 32);
    for (uint32_t i = 0; i < n; i++)
        ASSERT_OK(payload_writer_add(w, &coins[i], &test_err));
    ASSERT_OK(payload_writer_finish(w, out, &head, &written, &test_err));
    return written;
}

START_TEST(a_state_has_one_text_whatever_the_order_and_memory)
{
    enum { N = 3000 };
    AUTOFREE struct coin *coins = coins_many(7, N);
    AUTOFREE char *out = xasprintf("%s/out.json", p.dir);
    struct payload_written a = write_coins(coins, N, 1U << 20, out), b, c;

    expect_canonical(out);
    EXPECT_OK(&p, pk_ingest_file(&p, out));
    ck_assert_uint_eq(p.result.unspent, N);
    ck_assert(p.result.coins.total == coins_sum(coins, N));
    for (uint32_t i = 0; i < N / 2; i++) {
        struct coin t = coins[i];

        coins[i] = coins[N - 1 - i];
        coins[N - 1 - i] = t;
    }
    b = write_coins(coins, N, 8U << 10, out); /* dozens of runs */
    ck_assert_mem_eq(a.state_hash, b.state_hash, 32);
    ck_assert_uint_eq(a.bytes, b.bytes);
    EXPECT_OK(&p, pk_ingest_file(&p, out));
    c = write_coins(coins, N, 8U << 10, NULL); /* hashed alone */
    ck_assert_mem_eq(a.state_hash, c.state_hash, 32);
    (void)unlink(out);
}
END_TEST

START_TEST(no_coins_and_odd_addresses_are_spelled_right)
{
    struct coin coins[3] = {{.amount = 1e-18, .address = "a\"\\\xc3\xa9"},
                            {.amount = 12.0, .address = "a"},
                            {.amount = 0.0, .address = "a\"\\\xc3\xa9", .at.vout = 4}};
    AUTOFREE char *out = xasprintf("%s/out.json", p.dir);
    AUTOFREE char *text = NULL;
    size_t len;

    write_coins(coins, 0, 8U << 10, out);
    EXPECT_OK(&p, pk_ingest_file(&p, out));
    ck_assert_uint_eq(p.result.unspent, 0);
    expect_canonical(out);
    write_coins(coins, 3, 8U << 10, out);
    expect_canonical(out);
    text = slurp(out, &len);
    ck_assert_ptr_nonnull(strstr(text, "\"total_utxos\": 3, \"total_value\": 12.0, "
                                       "\"utxo_set\": {\"a\": [{\"address\": \"a\", "
                                       "\"amount\": 12.0, "));
    ck_assert_ptr_nonnull(strstr(
        text, "\"script_pubkey\": \"P2PKH a\\\"\\\\\\u00e9\", \"spent\": false"));
    ck_assert_ptr_nonnull(strstr(text, "\"vout\": 0}, {\"address\": \"a\\\"\\\\\\u00e9"
                                       "\", \"amount\": 0.0, "));
    (void)unlink(out);
}
END_TEST

static enum errc seal(void *arg, const char *state_hash, struct payload_seal *out,
                      struct err *err)
{
    if (arg)
        return err_set(err, ERR_IO, "no key today");
    ck_assert_uint_eq(strlen(state_hash), 64);
    (void)snprintf(out->signature, sizeof(out->signature), "%0128d", 7);
    (void)snprintf(out->pubkey, sizeof(out->pubkey), "02%064d", 5);
    return ERR_OK;
}

START_TEST(a_signature_stands_in_its_place_and_a_failed_one_leaves_nothing)
{
    AUTOFREE char *out = xasprintf("%s/out.json", p.dir);
    struct payload_head head = {.height = 9, .work = "66285", .sign = seal};
    struct payload_written written;

    for (int fails = 0; fails < 2; fails++) {
        CLEANUP(payload_writer_free) struct payload_writer *w = writer(8U << 10);
        enum errc rc;

        head.arg = fails ? &head : NULL;
        rc = payload_writer_finish(w, out, &head, &written, &test_err);
        ck_assert_int_eq(rc, fails ? ERR_IO : ERR_OK);
        ck_assert_int_eq(access(out, F_OK) == 0, !fails);
        if (fails)
            continue;
        expect_canonical(out);
        EXPECT_OK(&p, pk_ingest_file(&p, out));
        ck_assert(p.result.meta.has_signature && p.result.meta.has_pubkey);
        ck_assert_str_eq(p.result.meta.work, "66285");
        ck_assert_uint_eq(strlen(p.result.meta.signature), 128);
        (void)unlink(out);
    }
}
END_TEST

START_TEST(it_ends_when_cancelled_and_takes_no_absurd_amount)
{
    atomic_bool cancel = false;
    const struct payload_write_options opt = {
        .tmp_dir = p.dir, .sort_memory = 8U << 10, .cancel = &cancel};
    CLEANUP(payload_writer_free) struct payload_writer *w = NULL;
    AUTOFREE char *out = xasprintf("%s/out.json", p.dir);
    struct payload_head head = {.height = 9};
    struct coin coin = {.amount = 1.0, .address = "a"};
    struct payload_written written;

    ASSERT_OK(payload_writer_create(&opt, &w, &test_err));
    ASSERT_OK(payload_writer_add(w, &coin, &test_err));
    coin.amount = -1.0;
    ASSERT_ERR(ERR_VERIFY, payload_writer_add(w, &coin, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_STATE_BOUNDS);
    atomic_store(&cancel, true);
    ASSERT_ERR(ERR_CANCELED, payload_writer_finish(w, out, &head, &written, &test_err));
    ck_assert_int_ne(access(out, F_OK), 0);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("payload_write");
    TCase *t = tcase_create("payload_write");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, fixtures_are_written_as_python_writes_them);
    tcase_add_test(t, a_state_has_one_text_whatever_the_order_and_memory);
    tcase_add_test(t, no_coins_and_odd_addresses_are_spelled_right);
    tcase_add_test(t, a_signature_stands_in_its_place_and_a_failed_one_leaves_nothing);
    tcase_add_test(t, it_ends_when_cancelled_and_takes_no_absurd_amount);
    suite_add_tcase(s, t);
    return s;
}
