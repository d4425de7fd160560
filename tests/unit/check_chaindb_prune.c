#include "store/chaindb.h"
#include "tests/unit/coins.h"

static struct coins_dir dir;
static struct chaindb *db;

static void open_db(void)
{
    dir = coins_dir_make();
    ASSERT_OK(chaindb_open(dir.db, CHAINDB_WRITER, &db, &test_err));
}

static void remove_db(void)
{
    chaindb_close(db);
    coins_dir_remove(&dir);
}

/* Header `name` on `prev`, with a body. */
static void put(uint8_t name, uint8_t prev, enum chaindb_header_status status)
{
    const struct chaindb_header h = {.hash = {name},
                                     .prev = {prev},
                                     .height = name,
                                     .timestamp = 1.5,
                                     .status = status,
                                     .work = {[39] = name}};
    bool added;

    ASSERT_OK(chaindb_header_put(db, &h, &added, &test_err));
    ASSERT_OK(chaindb_body_put(db, h.hash, "{}", 2, &test_err));
}

static bool is_there(uint8_t name, bool *has_body)
{
    const uint8_t hash[32] = {name};
    CLEANUP_BUF struct buf text = BUF(16);
    struct chaindb_header h;
    bool found, body;

    ASSERT_OK(chaindb_header_get(db, hash, &found, &h, &test_err));
    ASSERT_OK(chaindb_body_get(db, hash, &body, &text, &test_err));
    *has_body = body;
    return found;
}

#define ASSERT_GONE(name)                           \
    do {                                            \
        bool body_;                                 \
        ck_assert(!is_there(name, &body_));         \
        ck_assert_msg(!body_, "its body is there"); \
    } while (0)

#define ASSERT_THERE(name, with_body)            \
    do {                                         \
        bool body_;                              \
        ck_assert(is_there(name, &body_));       \
        ck_assert_int_eq(body_, (int)with_body); \
    } while (0)

START_TEST(anchored_headers_are_listed_in_pages_and_dropped)
{
    const uint8_t two[32] = {2}, one[32] = {1};
    struct chaindb_anchored rows[2];
    size_t n;

    put(1, 0, CHAINDB_VALID);
    put(2, 1, CHAINDB_ANCHORED);
    put(3, 2, CHAINDB_INVALID);
    put(4, 2, CHAINDB_ANCHORED);
    put(5, 4, CHAINDB_ANCHORED);
    ASSERT_OK(chaindb_anchored_list(db, 0, rows, 2, &n, &test_err));
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(rows[0].hash[0], 2);
    ck_assert_uint_eq(rows[1].hash[0], 4);
    ASSERT_OK(chaindb_anchored_list(db, rows[1].added, rows, 2, &n, &test_err));
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(rows[0].hash[0], 5);
    ASSERT_OK(chaindb_anchored_drop(db, two, &test_err));
    ASSERT_OK(chaindb_anchored_drop(db, one, &test_err)); /* is none: stays */
    ASSERT_GONE(2);
    ASSERT_THERE(1, true);
    ASSERT_THERE(3, true);
    ASSERT_THERE(4, true);
}
END_TEST

START_TEST(refused_blocks_keep_no_body)
{
    const uint8_t two[32] = {2};

    for (uint8_t i = 1; i <= 4; i++)
        put(i, i - 1, CHAINDB_VALID);
    put(5, 1, CHAINDB_VALID);
    ASSERT_OK(chaindb_header_mark_descendants(db, two, "x", &test_err));
    ASSERT_THERE(1, true);
    ASSERT_THERE(2, false);
    ASSERT_THERE(3, false);
    ASSERT_THERE(4, false);
    ASSERT_THERE(5, true);
}
END_TEST

START_TEST(of_invalid_headers_the_last_are_kept)
{
    size_t dropped;

    put(1, 0, CHAINDB_VALID);
    for (uint8_t i = 2; i <= 8; i++)
        put(i, 1, CHAINDB_INVALID);
    ASSERT_OK(chaindb_invalid_drop(db, 4, 2, &dropped, &test_err));
    ck_assert_uint_eq(dropped, 2);
    ASSERT_OK(chaindb_invalid_drop(db, 4, 2, &dropped, &test_err));
    ck_assert_uint_eq(dropped, 1);
    ASSERT_OK(chaindb_invalid_drop(db, 4, 2, &dropped, &test_err));
    ck_assert_uint_eq(dropped, 0);
    for (uint8_t i = 2; i <= 8; i++) {
        bool body;

        ck_assert_int_eq(is_there(i, &body), i > 4);
    }
    ASSERT_THERE(1, true);
}
END_TEST

static bool drop_leaf(uint8_t name)
{
    const uint8_t hash[32] = {name};
    bool dropped;

    ASSERT_OK(chaindb_leaf_drop(db, hash, &dropped, &test_err));
    return dropped;
}

START_TEST(a_leaf_goes_unless_it_is_active_or_not_one)
{
    const uint8_t two[32] = {2};

    put(1, 0, CHAINDB_VALID);
    put(2, 1, CHAINDB_VALID);
    put(3, 1, CHAINDB_VALID);
    put(4, 3, CHAINDB_ANCHORED);
    put(5, 1, CHAINDB_VALID);
    put(6, 1, CHAINDB_INVALID);
    ASSERT_OK(chaindb_active_set(db, 2, two, &test_err));
    ck_assert(!drop_leaf(1)); /* others stand on it */
    ck_assert(!drop_leaf(2)); /* active */
    ck_assert(!drop_leaf(3));
    ck_assert(!drop_leaf(4));
    ck_assert(!drop_leaf(6));
    ck_assert(!drop_leaf(99));
    ck_assert(drop_leaf(5));
    ASSERT_GONE(5);
    for (uint8_t i = 1; i <= 4; i++)
        ASSERT_THERE(i, true);
}
END_TEST

START_TEST(branches_are_noted_moved_and_dropped)
{
    const uint8_t one[32] = {1}, two[32] = {2}, three[32] = {3};
    uint8_t hash[32];
    uint64_t headers = 77;
    bool found = true;

    ASSERT_OK(chaindb_branch_oldest(db, &found, hash, &headers, &test_err));
    ck_assert(!found);
    ck_assert_uint_eq(headers, 77);
    ASSERT_OK(chaindb_branch_put(db, one, 10, &test_err));
    ASSERT_OK(chaindb_branch_put(db, two, 5, &test_err));
    ASSERT_OK(chaindb_branch_put(db, one, 1, &test_err));
    ASSERT_OK(chaindb_branch_oldest(db, &found, hash, &headers, &test_err));
    ck_assert(found && hash[0] == 1);
    ck_assert_uint_eq(headers, 16);
    ASSERT_OK(chaindb_branch_move(db, one, three, &test_err));
    ASSERT_OK(chaindb_branch_oldest(db, &found, hash, &headers, &test_err));
    ck_assert(found && hash[0] == 3); /* as old as it was */
    ASSERT_OK(chaindb_branch_move(db, three, two, &test_err));
    ASSERT_OK(chaindb_branch_oldest(db, &found, hash, &headers, &test_err));
    ck_assert(found && hash[0] == 2);
    ck_assert_uint_eq(headers, 11);
    ASSERT_OK(chaindb_branch_drop(db, two, &test_err));
    ASSERT_OK(chaindb_branch_oldest(db, &found, hash, &headers, &test_err));
    ck_assert(!found);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("chaindb_prune");
    TCase *t = tcase_create("db");

    tcase_add_checked_fixture(t, open_db, remove_db);
    tcase_add_test(t, anchored_headers_are_listed_in_pages_and_dropped);
    tcase_add_test(t, refused_blocks_keep_no_body);
    tcase_add_test(t, of_invalid_headers_the_last_are_kept);
    tcase_add_test(t, a_leaf_goes_unless_it_is_active_or_not_one);
    tcase_add_test(t, branches_are_noted_moved_and_dropped);
    suite_add_tcase(s, t);
    return s;
}
