
#include <math.h>
#include <sqlite3.h>

#include "store/chaindb.h"
#include "tests/unit/coins.h"

static struct coins_dir dir;

static void make_dir(void)
{
    dir = coins_dir_make();
}

static void remove_dir(void)
{
    coins_dir_remove(&dir);
}

static struct chaindb *open_db(enum chaindb_mode mode)
{
    struct chaindb *db = NULL;

    ASSERT_OK(chaindb_open(dir.db, mode, &db, &test_err));
    return db;
}

static struct chaindb_header header(uint8_t name, uint8_t prev, uint64_t height,
                                    uint8_t work)
{
    struct chaindb_header h = {
        .hash = {name},
        .prev = {prev},
        .merkle_root = {7},
        .height = height,
        .timestamp = 1730851200.123456,
        .difficulty = UINT32_MAX,
        .nonce = UINT64_MAX,
        .version = 1,
        .has_version = true,
        .signature = "5167",
        .miner_pubkey = "genesis_miner_pubkey",
        .status = work > 0 ? CHAINDB_VALID : CHAINDB_ANCHORED,
    };

    h.work[39] = work;
    return h;
}

static void put(struct chaindb *db, uint8_t name, uint8_t prev, uint64_t height,
                uint8_t work)
{
    const struct chaindb_header h = header(name, prev, height, work);
    bool added;

    ASSERT_OK(chaindb_header_put(db, &h, &added, &test_err));
}

static struct chaindb_header get(struct chaindb *db, uint8_t name)
{
    const uint8_t hash[32] = {name};
    struct chaindb_header h = {0};
    bool found = false;

    ASSERT_OK(chaindb_header_get(db, hash, &found, &h, &test_err));
    ck_assert(found);
    return h;
}

START_TEST(a_long_look_is_given_up_when_told)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    atomic_bool cancel = false;
    bool added;

    ASSERT_OK(chaindb_begin(db, &test_err));
    for (unsigned i = 0; i < 2000; i++) {
        struct chaindb_header h = header(1, 2, i, 4);

        h.hash[1] = (uint8_t)(i >> 8);
        h.hash[2] = (uint8_t)i;
        ASSERT_OK(chaindb_header_put(db, &h, &added, &test_err));
    }
    ASSERT_OK(chaindb_commit(db, &test_err));
    chaindb_stop_when(db, &cancel);
    ASSERT_OK(chaindb_check(db, &test_err));
    atomic_store(&cancel, true);
    ASSERT_ERR(ERR_CANCELED, chaindb_check(db, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_CANCELLED);
}
END_TEST

START_TEST(a_header_comes_back_as_it_was_put)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    struct chaindb_header h = header(1, 2, 3, 4), got;
    const uint8_t absent[32] = {99};
    bool found = true, added = false;

    memset(h.signature, 'a', 128);
    h.has_version = false;
    h.version = 0;
    ASSERT_OK(chaindb_header_put(db, &h, &added, &test_err));
    ck_assert(added);
    got = get(db, 1);
    ck_assert_mem_eq(got.prev, h.prev, 32);
    ck_assert_mem_eq(got.merkle_root, h.merkle_root, 32);
    ck_assert_mem_eq(got.work, h.work, 40);
    ck_assert_uint_eq(got.height, 3);
    ck_assert(got.timestamp == h.timestamp && !got.has_version && !got.has_body);
    ck_assert_uint_eq(got.difficulty, UINT32_MAX);
    ck_assert_uint_eq(got.nonce, UINT64_MAX);
    ck_assert_str_eq(got.signature, h.signature);
    ck_assert_str_eq(got.miner_pubkey, h.miner_pubkey);
    ck_assert_int_eq((int)got.status, CHAINDB_VALID);
    ASSERT_OK(chaindb_header_get(db, absent, &found, &got, &test_err));
    ck_assert(!found);
    h.height = 88;
    ASSERT_OK(chaindb_header_put(db, &h, &added, &test_err));
    ck_assert(!added); /* an existing hash stays as it is */
    ck_assert_uint_eq(get(db, 1).height, 3);
}
END_TEST

START_TEST(a_height_or_time_that_cannot_be_stored_is_refused)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    struct chaindb_header h = header(1, 2, (uint64_t)INT64_MAX + 1, 4);
    bool added;

    ASSERT_ERR(ERR_INVALID, chaindb_header_put(db, &h, &added, &test_err));
    h = header(1, 2, 3, 4);
    h.timestamp = (double)INFINITY;
    ASSERT_ERR(ERR_INVALID, chaindb_header_put(db, &h, &added, &test_err));
}
END_TEST

START_TEST(the_best_header_has_most_work_and_was_first)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    const uint8_t second[32] = {2}, third[32] = {3}, absent[32] = {9};
    struct chaindb_header best;
    uint8_t work[40] = {0};
    bool found = true;

    ASSERT_OK(chaindb_header_best(db, &found, &best, &test_err));
    ck_assert(!found);
    put(db, 1, 0, 1, 5);
    put(db, 2, 1, 2, 9);
    put(db, 3, 1, 2, 9);
    put(db, 4, 1, 2, 0); /* anchored: no work */
    ASSERT_OK(chaindb_header_best(db, &found, &best, &test_err));
    ck_assert(found && best.hash[0] == 2);
    work[0] = 1; /* big-endian: more than any in the last byte */
    ASSERT_OK(chaindb_header_mark(db, third, CHAINDB_VALID, work, NULL, &test_err));
    ASSERT_OK(chaindb_header_best(db, &found, &best, &test_err));
    ck_assert_uint_eq(best.hash[0], 3);
    ASSERT_OK(chaindb_header_mark(db, third, CHAINDB_INVALID, work, "x", &test_err));
    ASSERT_OK(chaindb_header_mark(db, second, CHAINDB_INVALID, NULL, "x", &test_err));
    ASSERT_OK(chaindb_header_best(db, &found, &best, &test_err));
    ck_assert_uint_eq(best.hash[0], 1);
    ck_assert_uint_eq(get(db, 3).work[0], 0);
    ASSERT_ERR(ERR_NOTFOUND,
               chaindb_header_mark(db, absent, CHAINDB_VALID, work, NULL, &test_err));
}
END_TEST

START_TEST(what_stands_on_an_invalid_header_is_invalid)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    const uint8_t bad[32] = {2};

    put(db, 1, 0, 1, 1);
    put(db, 2, 1, 2, 2);
    put(db, 3, 2, 3, 3);
    put(db, 4, 3, 4, 4);
    put(db, 5, 3, 4, 0);
    put(db, 6, 1, 2, 2);
    ASSERT_OK(chaindb_header_mark_descendants(db, bad, "tx_missing_coin", &test_err));
    ck_assert_int_eq((int)get(db, 1).status, CHAINDB_VALID);
    ck_assert_int_eq((int)get(db, 2).status, CHAINDB_VALID); /* itself is not one */
    for (uint8_t i = 3; i <= 5; i++) {
        ck_assert_int_eq((int)get(db, i).status, CHAINDB_INVALID);
        ck_assert_uint_eq(get(db, i).work[39], 0);
    }
    ck_assert_int_eq((int)get(db, 6).status, CHAINDB_VALID);
}
END_TEST

START_TEST(the_active_chain_is_set_and_cut)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    const uint8_t one[32] = {1}, two[32] = {2}, unheld[32] = {9};
    struct chaindb_header h;
    bool found = true;

    put(db, 1, 0, 1, 1);
    put(db, 2, 1, 2, 2);
    ASSERT_OK(chaindb_active_set(db, 1, one, &test_err));
    ASSERT_OK(chaindb_active_set(db, 2, unheld, &test_err));
    ASSERT_OK(chaindb_active_at(db, 2, &found, &h, &test_err));
    ck_assert(!found);
    ASSERT_OK(chaindb_active_set(db, 2, two, &test_err));
    ASSERT_OK(chaindb_active_at(db, 2, &found, &h, &test_err));
    ck_assert(found && h.hash[0] == 2);
    ASSERT_OK(chaindb_active_cut(db, 1, &test_err));
    ASSERT_OK(chaindb_active_at(db, 2, &found, &h, &test_err));
    ck_assert(!found);
    ASSERT_OK(chaindb_active_at(db, 1, &found, &h, &test_err));
    ck_assert(found && h.hash[0] == 1);
    ASSERT_OK(chaindb_active_at(db, UINT64_MAX, &found, &h, &test_err));
    ck_assert(!found);
}
END_TEST

static enum errc count_active(void *arg, const struct chaindb_header *h,
                              struct err *err)
{
    unsigned *seen = arg;

    *seen = *seen * 10 + h->hash[0];
    return h->hash[0] == 3 ? err_set(err, ERR_BUSY, "enough") : ERR_OK;
}

START_TEST(the_active_chain_is_walked_upwards)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    uint64_t first = 77;
    unsigned seen = 0;
    bool found = true;

    ASSERT_OK(chaindb_active_first(db, &found, &first, &test_err));
    ck_assert(!found && first == 77);
    for (uint8_t i = 1; i <= 4; i++) {
        const uint8_t hash[32] = {i};

        put(db, i, (uint8_t)(i - 1), 10 + i, i);
        ASSERT_OK(chaindb_active_set(db, (uint64_t)10 + i, hash, &test_err));
    }
    ASSERT_OK(chaindb_active_first(db, &found, &first, &test_err));
    ck_assert(found && first == 11);
    ASSERT_OK(chaindb_active_each(db, 0, 2, count_active, &seen, &test_err));
    ck_assert_uint_eq(seen, 12);
    seen = 0;
    ASSERT_ERR(ERR_BUSY,
               chaindb_active_each(db, 12, 9, count_active, &seen, &test_err));
    ck_assert_uint_eq(seen, 23);
    seen = 0;
    ASSERT_OK(chaindb_active_each(db, 15, 9, count_active, &seen, &test_err));
    ASSERT_OK(chaindb_active_each(db, UINT64_MAX, 9, count_active, &seen, &test_err));
    ck_assert_uint_eq(seen, 0);
}
END_TEST

START_TEST(a_body_is_kept_replaced_and_dropped)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    CLEANUP_BUF struct buf text = BUF(16), small = BUF(2);
    const uint8_t hash[32] = {1};
    bool found = true;

    put(db, 1, 0, 1, 1);
    ASSERT_OK(chaindb_body_get(db, hash, &found, &text, &test_err));
    ck_assert(!found);
    ASSERT_OK(chaindb_body_put(db, hash, "first", 5, &test_err));
    ASSERT_OK(chaindb_body_put(db, hash, "sec\0nd", 6, &test_err));
    ck_assert(get(db, 1).has_body);
    ASSERT_OK(chaindb_body_get(db, hash, &found, &text, &test_err));
    ck_assert(found && text.len == 6);
    ck_assert_mem_eq(text.data, "sec\0nd", 6);
    ASSERT_ERR(ERR_IO, chaindb_body_get(db, hash, &found, &small, &test_err));
    ASSERT_OK(chaindb_body_drop(db, hash, &test_err));
    ck_assert(!get(db, 1).has_body);
}
END_TEST

struct proofs {
    uint64_t heights[4];
    size_t n, stop_at;
};

static enum errc note_proof(void *arg, uint64_t height, const void *blob, size_t len,
                            struct err *err)
{
    struct proofs *p = arg;

    ck_assert_uint_eq(len, 3);
    ck_assert_mem_eq(blob, "abc", 3);
    p->heights[p->n++] = height;
    return p->n == p->stop_at ? err_set(err, ERR_CANCELED, "enough") : ERR_OK;
}

START_TEST(proofs_come_back_by_height)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    struct proofs all = {0}, one = {.stop_at = 1}, none = {0};

    ASSERT_OK(chaindb_proof_put(db, 300, "abc", 3, &test_err));
    ASSERT_OK(chaindb_proof_put(db, 2, "xyz", 3, &test_err));
    ASSERT_OK(chaindb_proof_put(db, 2, "abc", 3, &test_err));
    ASSERT_OK(chaindb_proof_each(db, note_proof, &all, &test_err));
    ck_assert_uint_eq(all.n, 2);
    ck_assert_uint_eq(all.heights[0], 2);
    ck_assert_uint_eq(all.heights[1], 300);
    ASSERT_ERR(ERR_CANCELED, chaindb_proof_each(db, note_proof, &one, &test_err));
    ck_assert_uint_eq(one.n, 1);
    ASSERT_OK(chaindb_proof_drop(db, &test_err));
    ASSERT_OK(chaindb_proof_each(db, note_proof, &none, &test_err));
    ck_assert_uint_eq(none.n, 0);
}
END_TEST

static void run_sql(const char *sql)
{
    sqlite3 *raw = NULL;

    ck_assert_int_eq(sqlite3_open(dir.db, &raw), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(raw);
}

START_TEST(what_rotted_is_not_served)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    CLEANUP_BUF struct buf text = BUF(64);
    const uint8_t hash[32] = {1};
    struct proofs none = {0};
    bool found;

    ASSERT_OK(chaindb_body_put(db, hash, "text", 4, &test_err));
    ASSERT_OK(chaindb_proof_put(db, 2, "abc", 3, &test_err));
    run_sql("UPDATE body SET text = CAST('texu' AS BLOB);"
            "UPDATE proof SET noted = CAST('abd' AS BLOB)");
    ASSERT_ERR(ERR_IO, chaindb_body_get(db, hash, &found, &text, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_CORRUPT);
    ck_assert_str_eq(test_err.msg, "stored block lost its hash");
    ck_assert_uint_eq(text.len, 0);
    ASSERT_ERR(ERR_IO, chaindb_proof_each(db, note_proof, &none, &test_err));
    ck_assert_str_eq(test_err.msg, "stored proof lost its hash");
}
END_TEST

START_TEST(a_reader_sees_what_is_committed_and_writes_nothing)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    CLEANUP(chaindb_close) struct chaindb *reader = open_db(CHAINDB_READER);
    const uint8_t one[32] = {1};
    const struct chaindb_header h = header(1, 0, 1, 1);
    struct chaindb_header got;
    bool found = true, added;

    ASSERT_OK(chaindb_begin(db, &test_err));
    ASSERT_OK(chaindb_header_put(db, &h, &added, &test_err));
    ASSERT_OK(chaindb_header_get(reader, one, &found, &got, &test_err));
    ck_assert(!found);
    ASSERT_OK(chaindb_commit(db, &test_err));
    ASSERT_OK(chaindb_header_get(reader, one, &found, &got, &test_err));
    ck_assert(found);
    ASSERT_OK(
        chaindb_begin(reader, &test_err)); /* a read transaction stays as it began */
    ASSERT_OK(chaindb_header_get(reader, one, &found, &got, &test_err));
    ASSERT_OK(chaindb_body_put(db, one, "b", 1, &test_err));
    ASSERT_OK(chaindb_header_get(reader, one, &found, &got, &test_err));
    ck_assert(!got.has_body);
    ASSERT_OK(chaindb_commit(reader, &test_err));
    ASSERT_OK(chaindb_header_get(reader, one, &found, &got, &test_err));
    ck_assert(got.has_body);
    ASSERT_ERR(ERR_IO, chaindb_header_put(reader, &h, &added, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_FAILED);
}
END_TEST

START_TEST(a_rollback_leaves_nothing)
{
    CLEANUP(chaindb_close) struct chaindb *db = open_db(CHAINDB_WRITER);
    const uint8_t one[32] = {1};
    struct chaindb_header got;
    bool found = true;

    ASSERT_OK(chaindb_begin(db, &test_err));
    put(db, 1, 0, 1, 1);
    chaindb_rollback(db);
    ASSERT_OK(chaindb_header_get(db, one, &found, &got, &test_err));
    ck_assert(!found);
    chaindb_rollback(db); /* without a transaction: no effect */
}
END_TEST

START_TEST(a_reader_does_not_create)
{
    struct chaindb *db = NULL;

    ASSERT_ERR(ERR_IO, chaindb_open(dir.db, CHAINDB_READER, &db, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_FAILED);
    ck_assert_int_ne(access(dir.db, F_OK), 0);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("chaindb");
    TCase *t = tcase_create("db");

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_add_test(t, a_header_comes_back_as_it_was_put);
    tcase_add_test(t, a_long_look_is_given_up_when_told);
    tcase_add_test(t, a_height_or_time_that_cannot_be_stored_is_refused);
    tcase_add_test(t, the_best_header_has_most_work_and_was_first);
    tcase_add_test(t, what_stands_on_an_invalid_header_is_invalid);
    tcase_add_test(t, the_active_chain_is_set_and_cut);
    tcase_add_test(t, the_active_chain_is_walked_upwards);
    tcase_add_test(t, a_body_is_kept_replaced_and_dropped);
    tcase_add_test(t, proofs_come_back_by_height);
    tcase_add_test(t, what_rotted_is_not_served);
    tcase_add_test(t, a_reader_sees_what_is_committed_and_writes_nothing);
    tcase_add_test(t, a_rollback_leaves_nothing);
    tcase_add_test(t, a_reader_does_not_create);
    suite_add_tcase(s, t);
    return s;
}
