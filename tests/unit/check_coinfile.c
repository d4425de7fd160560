#include <math.h>
#include <sys/stat.h>

#include "tests/unit/coins.h"

static struct coins_dir dir;
static const struct coinfile_id id_a = {
    .network = "testnet", .height = 77, .block_hash = {1, 2, 3}};
static const struct coinfile_id id_b = {
    .network = "testnet", .height = 78, .block_hash = {9}};

static void make_dir(void)
{
    dir = coins_dir_make();
}

static void remove_dir(void)
{
    coins_dir_remove(&dir);
}

struct walk {
    const struct coin *coins;
    uint32_t n, stop_at;
};

static enum errc expect_next(void *arg, const struct coin *coin, struct err *err)
{
    struct walk *w = arg;

    if (!coins_same(&w->coins[w->n], coin))
        return err_set(err, ERR_VERIFY, "coin %u differs", w->n);
    w->n++;
    return w->n == w->stop_at ? err_set(err, ERR_CANCELED, "enough") : ERR_OK;
}

static void expect_absent(struct coinfile *f, const struct outpoint *at)
{
    struct coin got;
    bool found;

    if (coinfile_find(f, at, &found, &got, &test_err) || found)
        ck_abort_msg("an absent coin is found");
}

static void expect_coins(struct coinfile *f, const struct coin *coins, uint32_t n)
{
    struct walk w = {.coins = coins};
    struct coin got;
    bool found;

    for (uint32_t i = 0; i < n; i++) {
        struct outpoint absent = coins[i].at;

        if (coinfile_find(f, &coins[i].at, &found, &got, &test_err) || !found ||
            !coins_same(&coins[i], &got))
            ck_abort_msg("coin %u is not found", i);
        absent.vout += 3;
        expect_absent(f, &absent);
        absent.txid[31] ^= 0x55;
        expect_absent(f, &absent);
        absent.txid[0] ^= 0x80;
        expect_absent(f, &absent);
    }
    ASSERT_OK(coinfile_scan(f, expect_next, &w, &test_err));
    ck_assert_uint_eq(w.n, n);
    ASSERT_OK(coinfile_verify(f, NULL, &test_err));
    if (n > 0) {
        const atomic_bool cancel = true;

        ASSERT_ERR(ERR_CANCELED, coinfile_verify(f, &cancel, &test_err));
    }
}

static const uint32_t sizes[] = {0, 1, 2, 3, 70, 5000, 40000};

START_TEST(what_is_written_is_found_scanned_and_verified)
{
    uint32_t n = sizes[_i];
    AUTOFREE struct coin *coins = coins_many(5, n);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, n);
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    const struct coinfile_info *seen;
    struct stat st;

    ASSERT_OK(coinfile_open(dir.coins, dir.idx, info.state_root, &f, &test_err));
    seen = coinfile_info(f);
    ck_assert(!seen->index_rebuilt);
    ck_assert_uint_eq(seen->coin_count, n);
    ck_assert(seen->total == coins_sum(coins, n) && info.total == seen->total);
    ck_assert_mem_eq(seen->state_root, info.state_root, 32);
    ck_assert_str_eq(seen->id.network, "testnet");
    ck_assert_uint_eq(seen->id.height, 77);
    ck_assert_mem_eq(seen->id.block_hash, id_a.block_hash, 32);
    ck_assert_int_eq(stat(dir.coins, &st), 0);
    ck_assert_uint_eq((uint64_t)st.st_size, seen->file_bytes);
    ck_assert_uint_eq(info.chunk_count, seen->chunk_count);
    ck_assert(n < 40000 ? seen->chunk_count == (n > 0) : seen->chunk_count > 2);
    expect_coins(f, coins, n);
}
END_TEST

START_TEST(a_rebuilt_index_is_the_same_index)
{
    AUTOFREE struct coin *coins = coins_many(6, 30000);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, 30000);
    CLEANUP(coinfile_close) struct coinfile *f = NULL, *again = NULL;

    ck_assert_uint_ge(info.chunk_count, 2);
    ck_assert_int_eq(unlink(dir.idx), 0);
    ASSERT_OK(coinfile_open(dir.coins, dir.idx, info.state_root, &f, &test_err));
    ck_assert(coinfile_info(f)->index_rebuilt);
    expect_coins(f, coins, 30000);
    ASSERT_OK(coinfile_open(dir.coins, dir.idx, info.state_root, &again, &test_err));
    ck_assert(!coinfile_info(again)->index_rebuilt);
    ck_assert_mem_eq(coinfile_info(again)->state_root, info.state_root, 32);
}
END_TEST

START_TEST(without_a_place_for_the_index_it_stays_in_memory)
{
    AUTOFREE struct coin *coins = coins_many(6, 500);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, 500);
    CLEANUP(coinfile_close) struct coinfile *f = NULL;

    ASSERT_OK(
        coinfile_open(dir.coins, "/nonexistent/x", info.state_root, &f, &test_err));
    ck_assert(coinfile_info(f)->index_rebuilt);
    expect_coins(f, coins, 500);
}
END_TEST

START_TEST(the_root_is_of_the_coins_not_of_the_block)
{
    AUTOFREE struct coin *coins = coins_many(8, 300);
    const struct coinfile_info a = coins_write(&dir, &id_a, coins, 300);
    const struct coinfile_info b = coins_write(&dir, &id_b, coins, 300);
    struct coinfile_info c;

    ck_assert_mem_eq(a.state_root, b.state_root, 32);
    coins[150].amount += 1.0;
    c = coins_write(&dir, &id_a, coins, 300);
    ck_assert_mem_ne(a.state_root, c.state_root, 32);
}
END_TEST

START_TEST(a_scan_stops_when_it_is_told_to)
{
    AUTOFREE struct coin *coins = coins_many(8, 300);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, 300);
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    struct walk w = {.coins = coins, .stop_at = 17};

    ASSERT_OK(coinfile_open(dir.coins, dir.idx, info.state_root, &f, &test_err));
    ASSERT_ERR(ERR_CANCELED, coinfile_scan(f, expect_next, &w, &test_err));
    ck_assert_uint_eq(w.n, 17);
}
END_TEST

static void expect_hash(const char *path, const char *want)
{
    CLEANUP(hasher_free) struct hasher *h = hasher_create();
    FILE *file = fopen(path, "rb");
    uint8_t part[4096], sum[32];
    char text[65];
    size_t n;

    ck_assert_ptr_nonnull(file);
    while ((n = fread(part, 1, sizeof(part), file)) > 0)
        hasher_add(h, part, n);
    (void)fclose(file);
    hasher_finish(h, sum);
    hex_encode(sum, 32, text);
    ck_assert_str_eq(text, want);
}

static void expect_root(const struct coinfile_info *info, const char *want)
{
    char text[65];

    hex_encode(info->state_root, 32, text);
    ck_assert_str_eq(text, want);
}

/* The figures come from another program, written from docs/snapshot-format.md alone. */
START_TEST(the_format_is_the_documented_one)
{
    struct coinfile_id id = {.network = "testnet", .height = 77};
    struct coin coins[] = {
        {.at.vout = 1,
         .amount = 12.12,
         .address = "TXAI00112233445566778899AABbCCdDeeFf00112233"},
        {.at.vout = 256, .address = "XAI00112233445566778899AABbCCdDeeFf00112233"},
        {.amount = 61500000.0, .address = "GENESIS_\xc3\xa9"},
    };
    struct coinfile_info info;

    for (int i = 0; i < 32; i++)
        id.block_hash[i] = (uint8_t)i;
    memset(coins[2].at.txid, 0xff, 32);
    info = coins_write(&dir, &id, coins, 0);
    expect_root(&info,
                "23846fc4a56d58e0b39d4c7083d5c21c2c58c049c4b4c4c8510320a909cf6d58");
    info = coins_write(&dir, &id, coins, 3);
    expect_root(&info,
                "88e3dbce4df1467a6494fe0fb2784c98f9b7bc8fc9fa02ca78c89b72bbd4b550");
    expect_hash(dir.coins,
                "0fd77329dfff50777af28ee19c0146fc8f69595d539768527ae46217c2cee33f");
    expect_hash(dir.idx,
                "8d28a5d1621656ea5e43b8ff04fba86fe82cfa543d06d5aef5a04d2cd0c8e6b2");
}
END_TEST

START_TEST(six_chunks_are_the_documented_ones)
{
    enum { N = 30200 };
    struct coinfile_id id = {.network = "testnet", .height = 77};
    AUTOFREE struct coin *coins = xcalloc(N, sizeof(*coins));
    struct coinfile_info info;

    for (int i = 0; i < 32; i++)
        id.block_hash[i] = (uint8_t)i;
    for (uint32_t i = 0; i < N; i++) {
        coins[i].at.txid[2] = (uint8_t)(i >> 8);
        coins[i].at.txid[3] = (uint8_t)i;
        coins[i].amount = 0.25;
        memset(coins[i].address, 'x', COIN_ADDRESS_MAX);
    }
    info = coins_write(&dir, &id, coins, N);
    ck_assert_uint_eq(info.chunk_count, 6);
    expect_root(&info,
                "a49540e04f33e3d8427fa76745ca6b38b865458d1b8aa31012a420b0f6a62144");
    expect_hash(dir.coins,
                "f9194e96dd7626426eee0a4b224fa4a1dee6e8d23cf2ac27a0bb96b8deaa4124");
    expect_hash(dir.idx,
                "e8e3c707ac136ca9233bf7d6c260b76211bb50a776fb0f923f3be51d0668bd69");
}
END_TEST

/* 16,130 records of 65 bytes and one of 126 are 2^20 bytes: all one chunk may hold. */
START_TEST(a_chunk_may_be_full_to_the_last_byte)
{
    enum { N = 16132 };
    AUTOFREE struct coin *coins = coins_many(2, N);
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    struct coinfile_info info;

    for (uint32_t i = 0; i < N; i++)
        (void)snprintf(coins[i].address, sizeof(coins[i].address),
                       "XAI00112233445566778899AABbCCdDeeFf00112233");
    memset(coins[7].address, 'y', 80);
    coins[7].address[80] = '\0';
    info = coins_write(&dir, &id_a, coins, N - 1);
    ck_assert_uint_eq(info.file_bytes, 120 + (1 << 20));
    ck_assert_uint_eq(info.chunk_count, 1);
    info = coins_write(&dir, &id_a, coins, N);
    ck_assert_uint_eq(info.chunk_count, 2);
    ASSERT_OK(coinfile_open(dir.coins, dir.idx, info.state_root, &f, &test_err));
    expect_coins(f, coins, N);
}
END_TEST

static const struct {
    double amount;
    const char *address, *why;
} bad_coins[] = {
    {-1.0, "a", "amount -1 is none a coin can have"},
    {-0.0, "a", "amount -0 is none a coin can have"},
    {(double)INFINITY, "a", "amount inf is none a coin can have"},
    {1e9 + 1, "a", "amount 1e+09 is none a coin can have"},
    {1.0, "", "address is not 1 to 128 bytes of UTF-8"},
    {1.0, "\xff", "address is not 1 to 128 bytes of UTF-8"},
    {1.0, "\xed\xa0\x80", "address is not 1 to 128 bytes of UTF-8"},
    {1.0, "\xc0\x80", "address is not 1 to 128 bytes of UTF-8"},
    {1.0, "\xe2\x82", "address is not 1 to 128 bytes of UTF-8"},
};

START_TEST(a_coin_that_cannot_be_is_refused)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    struct coin coin = {.amount = bad_coins[_i].amount};

    memcpy(coin.address, bad_coins[_i].address, strlen(bad_coins[_i].address));
    ASSERT_OK(coinfile_writer_create(dir.coins, dir.idx, &id_a, &w, &test_err));
    ASSERT_ERR(ERR_VERIFY, coinfile_writer_add(w, &coin, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STATE_BOUNDS);
    ck_assert_str_eq(test_err.msg, bad_coins[_i].why);
}
END_TEST

START_TEST(a_coin_twice_or_out_of_order_is_refused)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    struct coin coin = {.at.vout = 256, .amount = 1.0, .address = "a"};

    ASSERT_OK(coinfile_writer_create(dir.coins, dir.idx, &id_a, &w, &test_err));
    ASSERT_OK(coinfile_writer_add(w, &coin, &test_err));
    ASSERT_ERR(ERR_VERIFY, coinfile_writer_add(w, &coin, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STATE_BOUNDS);
    ck_assert_str_eq(
        test_err.msg,
        "coin 0000000000000000000000000000000000000000000000000000000000000000"
        ":256 twice");
    coin.at.vout = 255;
    ASSERT_ERR(ERR_IO, coinfile_writer_add(w, &coin, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_INTERNAL);
}
END_TEST

START_TEST(an_unfinished_writer_leaves_no_file)
{
    struct coinfile_writer *w = NULL;
    struct coin coin = {.amount = 1.0, .address = "a"};

    ASSERT_OK(coinfile_writer_create(dir.coins, dir.idx, &id_a, &w, &test_err));
    ASSERT_OK(coinfile_writer_add(w, &coin, &test_err));
    coinfile_writer_free(w);
    ck_assert_int_ne(access(dir.coins, F_OK), 0);
    ck_assert_int_ne(access(dir.idx, F_OK), 0);
}
END_TEST

START_TEST(a_network_without_a_name_is_refused)
{
    struct coinfile_writer *w = NULL;
    struct coinfile_id id = {.network = ""};

    ASSERT_ERR(ERR_INVALID,
               coinfile_writer_create(dir.coins, dir.idx, &id, &w, &test_err));
    memset(id.network, 'n', sizeof(id.network)); /* no room for the NUL */
    ASSERT_ERR(ERR_INVALID,
               coinfile_writer_create(dir.coins, dir.idx, &id, &w, &test_err));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("coinfile");
    TCase *t = tcase_create("file");

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, what_is_written_is_found_scanned_and_verified, 0,
                        sizeof(sizes) / sizeof(sizes[0]));
    tcase_add_test(t, a_rebuilt_index_is_the_same_index);
    tcase_add_test(t, without_a_place_for_the_index_it_stays_in_memory);
    tcase_add_test(t, the_root_is_of_the_coins_not_of_the_block);
    tcase_add_test(t, a_scan_stops_when_it_is_told_to);
    tcase_add_test(t, the_format_is_the_documented_one);
    tcase_add_test(t, six_chunks_are_the_documented_ones);
    tcase_add_test(t, a_chunk_may_be_full_to_the_last_byte);
    tcase_add_loop_test(t, a_coin_that_cannot_be_is_refused, 0,
                        sizeof(bad_coins) / sizeof(bad_coins[0]));
    tcase_add_test(t, a_coin_twice_or_out_of_order_is_refused);
    tcase_add_test(t, an_unfinished_writer_leaves_no_file);
    tcase_add_test(t, a_network_without_a_name_is_refused);
    suite_add_tcase(s, t);
    return s;
}
