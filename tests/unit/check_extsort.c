#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/bytes.h"
#include "store/extsort.h"
#include "tests/unit/test.h"

static char dir[] = "/tmp/check_extsort-XXXXXX";

static void make_dir(void)
{
    memcpy(dir, "/tmp/check_extsort-XXXXXX", sizeof(dir));
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

/* Runs have no name, so the directory must be empty again. */
static void remove_dir(void)
{
    ck_assert_int_eq(rmdir(dir), 0);
}

/* Records begin with a key of four bytes; the rest is the order of arrival. */
static int compare_keys(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    if (a_len < 8 || b_len < 8)
        abort();
    return memcmp(a, b, 4);
}

static struct extsort *open_sorter(size_t memory)
{
    const struct extsort_options opt = {
        .dir = dir, .memory_bytes = memory, .record_max = 300, .compare = compare_keys};
    struct extsort *s = NULL;

    ASSERT_OK(extsort_create(&opt, &s, &test_err));
    return s;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void add_records(struct extsort *s, uint32_t n, uint32_t keys)
{
    uint8_t rec[300];
    uint32_t seed = 7;

    for (uint32_t i = 0; i < n; i++) {
        size_t len = 8 + next_random(&seed) % 293;
        uint32_t key = next_random(&seed) % keys;

        memset(rec, (int)(i & 0xff), sizeof(rec));
        for (int k = 0; k < 4; k++)
            rec[k] = (uint8_t)(key >> (24 - 8 * k));
        memcpy(rec + 4, &i, sizeof(i));
        if (extsort_add(s, rec, len, &test_err)) /* Check's asserts are slow */
            ck_abort_msg("%s", test_err.msg);
    }
}

static bool is_whole(const uint8_t *rec, size_t len, uint32_t arrival)
{
    for (size_t i = 8; i < len; i++)
        if (rec[i] != (arrival & 0xff))
            return false;
    return true;
}

/* Ascending keys, equal keys by arrival, every record once and whole. */
static void expect_sorted(struct extsort *s, uint32_t n)
{
    uint8_t last[4] = {0};
    uint32_t last_arrival = 0, arrival, count = 0;
    uint64_t sum = 0;
    const uint8_t *rec;
    size_t len;

    while (!extsort_next(s, &rec, &len, &test_err) && rec) {
        int order = memcmp(last, rec, 4);

        memcpy(&arrival, rec + 4, sizeof(arrival));
        if (order > 0 || (count > 0 && order == 0 && last_arrival >= arrival) ||
            !is_whole(rec, len, arrival))
            ck_abort_msg("record %u is wrong", count);
        memcpy(last, rec, 4);
        last_arrival = arrival;
        sum += arrival;
        count++;
    }
    ck_assert_uint_eq(count, n);
    ck_assert_uint_eq(sum, (uint64_t)n * (n > 0 ? n - 1 : 0) / 2);
    ASSERT_OK(extsort_next(s, &rec, &len, &test_err)); /* the end stays the end */
    ck_assert_ptr_null(rec);
}

static const struct {
    uint32_t records, keys;
    size_t memory;
} cases[] = {
    {0, 1, 4096},       {1, 1, 4096}, {2000, 50, 1 << 20}, /* in memory */
    {2000, 50, 64000},                                     /* some runs */
    {20000, 700, 8192},                                    /* > 300: two levels */
    {3000, 1000000, 1},                                    /* a run a record */
    {3000, 1, 5000},                                       /* all equal */
};

START_TEST(records_come_out_in_order_and_equal_ones_as_they_arrived)
{
    CLEANUP(extsort_free) struct extsort *s = open_sorter(cases[_i].memory);

    add_records(s, cases[_i].records, cases[_i].keys);
    ASSERT_OK(extsort_finish(s, &test_err));
    expect_sorted(s, cases[_i].records);
}
END_TEST

static int compare_long_keys(const uint8_t *a, size_t a_len, const uint8_t *b,
                             size_t b_len)
{
    if (a_len != b_len || (a_len != 12 && a_len != 13))
        abort();
    return memcmp(a + a_len - 12, b + b_len - 12, 8);
}

/* Keys of eight bytes, of which the sorter may look at the number alone. */
static const struct {
    uint64_t mask;
    size_t memory, first_at;
} long_keys[] = {
    {UINT64_MAX, 1 << 20, 0},
    {UINT64_MAX, 16384, 0}, /* in memory; some runs */
    {UINT64_MAX, 2048, 0},  /* two levels */
    {0xffff, 1 << 20, 0},
    {0xffff, 2048, 0},                       /* alike in what radixes look at */
    {UINT64_C(0xfff) << 52 | 3, 1 << 20, 0}, /* few of each */
    {UINT64_C(3) << 62, 1 << 20, 0},         /* four keys: by arrival */
    {UINT64_C(3) << 62, 2048, 0},
    {UINT64_MAX, 16384, 1}, /* a byte before the key */
};

START_TEST(records_whose_first_bytes_order_them)
{
    const struct extsort_options opt = {.dir = dir,
                                        .memory_bytes = long_keys[_i].memory,
                                        .record_max = 13,
                                        .first_bytes = true,
                                        .first_at = long_keys[_i].first_at,
                                        .compare = compare_long_keys};
    CLEANUP(extsort_free) struct extsort *s = NULL;
    uint64_t seed = 88172645463325252U, sum = 0, last = 0;
    uint32_t last_arrival = 0, n = 0;
    const uint8_t *rec;
    size_t len;

    ASSERT_OK(extsort_create(&opt, &s, &test_err));
    for (uint32_t i = 0; i < 8000; i++) {
        uint8_t r[13] = {(uint8_t)~i};
        uint8_t *key = r + long_keys[_i].first_at;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes_put_be64(key, seed & long_keys[_i].mask);
        bytes_put_be32(key + 8, i);
        ASSERT_OK(extsort_add(s, r, 12 + long_keys[_i].first_at, &test_err));
    }
    ASSERT_OK(extsort_finish(s, &test_err));
    for (; !extsort_next(s, &rec, &len, &test_err) && rec; n++) {
        uint64_t key = bytes_be64(rec + long_keys[_i].first_at);
        uint32_t arrival = bytes_be32(rec + len - 4);

        if (n > 0 && (key < last || (key == last && arrival <= last_arrival)))
            ck_abort_msg("record %u is out of order", n);
        last = key;
        last_arrival = arrival;
        sum += arrival;
    }
    ck_assert_uint_eq(n, 8000);
    ck_assert_uint_eq(sum, UINT64_C(7999) * 8000 / 2);
}
END_TEST

START_TEST(a_record_too_long_or_empty_is_refused)
{
    CLEANUP(extsort_free) struct extsort *s = open_sorter(4096);
    uint8_t rec[301] = {0};

    ASSERT_ERR(ERR_INVALID, extsort_add(s, rec, 301, &test_err));
    ck_assert_str_eq(test_err.msg, "sort record of 301 bytes, at most 300");
    ASSERT_ERR(ERR_INVALID, extsort_add(s, rec, 0, &test_err));
    ASSERT_OK(extsort_add(s, rec, 300, &test_err));
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_named)
{
    const struct extsort_options opt = {.dir = "/nonexistent",
                                        .memory_bytes = 1,
                                        .record_max = 8,
                                        .compare = compare_keys};
    CLEANUP(extsort_free) struct extsort *s = NULL;

    ASSERT_OK(extsort_create(&opt, &s, &test_err));
    ASSERT_OK(extsort_add(s, "12345678", 8, &test_err));
    ASSERT_ERR(ERR_IO, extsort_add(s, "12345678", 8, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_FAILED);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "/nonexistent"));
}
END_TEST

START_TEST(a_run_that_cannot_be_written_fails_the_add)
{
    CLEANUP(extsort_free) struct extsort *s = open_sorter(64000);
    const struct rlimit tiny = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    enum errc rc = ERR_OK;
    bool limited;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    limited = setrlimit(RLIMIT_FSIZE, &tiny) == 0; /* Check's file is under it too */
    for (int i = 0; i < 2000 && !rc; i++)
        rc = extsort_add(s, "0123456789abcdef", 16, &test_err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert(limited);
    ASSERT_ERR(ERR_IO, rc);
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_FAILED);
    ck_assert_str_eq(test_err.msg, "write sort file: File too large");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("extsort");
    TCase *t = tcase_create("sort");

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, records_come_out_in_order_and_equal_ones_as_they_arrived, 0,
                        sizeof(cases) / sizeof(cases[0]));
    tcase_add_loop_test(t, records_whose_first_bytes_order_them, 0,
                        sizeof(long_keys) / sizeof(long_keys[0]));
    tcase_add_test(t, a_record_too_long_or_empty_is_refused);
    tcase_add_test(t, a_directory_that_is_not_there_is_named);
    tcase_add_test(t, a_run_that_cannot_be_written_fails_the_add);
    suite_add_tcase(s, t);
    return s;
}
