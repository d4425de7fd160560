#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/chaindb.h"
#include "store/coinfile.h"
#include "sync/chain/params.h"
#include "sync/outputs.h"
#include "sync/snapshot/payload.h"
#include "tests/unit/test.h"

/* The fixture chain's blocks 0 to 200, noted, against payloads for height 200. */

static char dir[64], coins_path[96], idx_path[96];
static atomic_bool cancel;

static void note_chain(struct chaindb *db)
{
    FILE *f = fopen(TEST_DATA "/chain/blocks.jsonl", "r");
    AUTOFREE char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    ck_assert_ptr_nonnull(f);
    ASSERT_OK(chaindb_begin(db, &test_err));
    for (uint64_t height = 0; height <= 200; height++) {
        CLEANUP(block_free) struct block *b = NULL;
        CLEANUP_BUF struct buf notes = BUF(1U << 20);

        n = getline(&line, &cap, f);
        ck_assert_int_gt(n, 0);
        ASSERT_OK(block_decode(line, (size_t)n, params_find("testnet"), &b, &test_err));
        outputs_note(b, &notes);
        ck_assert(!notes.full);
        ASSERT_OK(chaindb_proof_put(db, height, notes.data, notes.len, &test_err));
    }
    ASSERT_OK(chaindb_commit(db, &test_err));
    (void)fclose(f);
}

static void setup(void)
{
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    char path[96];

    (void)snprintf(dir, sizeof(dir), "/tmp/check_outputs.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(coins_path, sizeof(coins_path), "%s/base.coins", dir);
    (void)snprintf(idx_path, sizeof(idx_path), "%s/base.idx", dir);
    (void)snprintf(path, sizeof(path), "%s/chain.db", dir);
    ASSERT_OK(chaindb_open(path, CHAINDB_WRITER, &db, &test_err));
    note_chain(db);
    atomic_store(&cancel, false);
}

static void teardown(void)
{
    static const char *const files[] = {"base.coins", "base.idx", "chain.db",
                                        "chain.db-wal", "chain.db-shm"};
    char path[96];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

static void ingest(const char *payload)
{
    struct payload_limits limits = {.max_bytes = 1 << 24,
                                    .max_coins = 100000,
                                    .sort_memory = 1 << 20,
                                    .max_supply =
                                        (u128)121000000 * 1000000000000000000U};
    struct payload_paths paths = {
        .payload = payload, .coins = coins_path, .idx = idx_path, .tmp_dir = dir};
    struct payload_progress progress = {0};
    struct payload_result result;

    ASSERT_OK(
        payload_ingest(&paths, "testnet", &limits, &progress, &result, &test_err));
}

/* What is done to one coin on the way into a second file. */
enum change { KEEP, DROP, OWNER, AMOUNT, ADD };

struct rewriting {
    struct coinfile_writer *w;
    enum change change;
    uint64_t at, n;
};

static enum errc rewrite(void *arg, const struct coin *coin, struct err *err)
{
    struct rewriting *r = arg;
    struct coin c = *coin;
    bool here = r->n++ == r->at;

    if (here && r->change == DROP)
        return ERR_OK;
    if (here && r->change == OWNER)
        (void)snprintf(c.address, sizeof(c.address), "somebody else");
    if (here && r->change == AMOUNT)
        c.amount += 1.0;
    if (coinfile_writer_add(r->w, &c, err))
        return err->code;
    if (!here || r->change != ADD)
        return ERR_OK;
    c.at.vout += 1000;
    return coinfile_writer_add(r->w, &c, err);
}

static void alter(enum change change, uint64_t at)
{
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    struct rewriting r = {.change = change, .at = at};
    struct coinfile_info info;
    char copy[112], copy_idx[112];

    (void)snprintf(copy, sizeof(copy), "%s.copy", coins_path);
    (void)snprintf(copy_idx, sizeof(copy_idx), "%s.copy", idx_path);
    ASSERT_OK(coinfile_open(coins_path, idx_path, NULL, &f, &test_err));
    ASSERT_OK(
        coinfile_writer_create(copy, copy_idx, &coinfile_info(f)->id, &w, &test_err));
    r.w = w;
    ASSERT_OK(coinfile_scan(f, rewrite, &r, &test_err));
    ASSERT_OK(coinfile_writer_finish(w, &info, &test_err));
    ck_assert_int_eq(rename(copy, coins_path), 0);
    ck_assert_int_eq(rename(copy_idx, idx_path), 0);
}

static void assert_differs(const char *what)
{
    test_err = (struct err){0};
    ASSERT_ERR(ERR_VERIFY, outputs_compare(dir, dir, &cancel, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_STATE_BOUNDS);
    ck_assert_msg(strstr(test_err.msg, what) != NULL, "%s", test_err.msg);
}

START_TEST(an_honest_payload_equals_the_blocks)
{
    ingest(TEST_DATA "/checkpoint/payload_200.json");
    ASSERT_OK(outputs_compare(dir, dir, &cancel, &test_err));
}
END_TEST

START_TEST(a_block_without_notes_is_missed)
{
    bool whole = false;

    ASSERT_OK(outputs_whole(dir, 200, &whole, &test_err));
    ck_assert(whole);
    ASSERT_OK(outputs_whole(dir, 201, &whole, &test_err));
    ck_assert(!whole);
    ASSERT_OK(outputs_whole(dir, 199, &whole, &test_err));
    ck_assert(whole);
}
END_TEST

START_TEST(a_coin_moved_to_another_owner_and_signed_again_is_seen)
{
    ingest(TEST_DATA "/checkpoint/bad_23.json");
    assert_differs("another owner");
}
END_TEST

static const struct {
    enum change change;
    const char *what;
} changes[] = {
    {DROP, "missing in the payload"},
    {OWNER, "another owner"},
    {AMOUNT, "another amount"},
    {ADD, "not unspent by the blocks"},
};

START_TEST(each_kind_of_change_is_named)
{
    static const uint64_t places[] = {0, 317, 633};

    /* A coin is added after the last only: elsewhere it might break the order. */
    for (size_t i = changes[_i].change == ADD ? 2 : 0; i < 3; i++) {
        ingest(TEST_DATA "/checkpoint/payload_200.json");
        alter(changes[_i].change, places[i]);
        assert_differs(changes[_i].what);
    }
}
END_TEST

START_TEST(it_can_be_cancelled)
{
    ingest(TEST_DATA "/checkpoint/payload_200.json");
    atomic_store(&cancel, true);
    ASSERT_ERR(ERR_CANCELED, outputs_compare(dir, dir, &cancel, &test_err));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("outputs");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_block_without_notes_is_missed);
    tcase_add_test(tc, an_honest_payload_equals_the_blocks);
    tcase_add_test(tc, a_coin_moved_to_another_owner_and_signed_again_is_seen);
    tcase_add_loop_test(tc, each_kind_of_change_is_named, 0,
                        (int)(sizeof(changes) / sizeof(changes[0])));
    tcase_add_test(tc, it_can_be_cancelled);
    suite_add_tcase(s, tc);
    return s;
}
