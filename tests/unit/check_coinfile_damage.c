#include <fcntl.h>
#include <pthread.h>

#include "tests/unit/coins.h"

/* Nothing a reader reads is uncommitted: whatever byte changes, it is seen. */

static struct coins_dir dir;
static const struct coinfile_id id_a = {.network = "testnet", .height = 77};
enum { SMALL = 40, FILE_MAX = 1 << 16 };

static void make_dir(void)
{
    dir = coins_dir_make();
}

static void remove_dir(void)
{
    coins_dir_remove(&dir);
}

static size_t read_file(const char *path, uint8_t out[FILE_MAX])
{
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        ck_abort_msg("%s is not there", path);
    n = fread(out, 1, FILE_MAX, f);
    (void)fclose(f);
    return n;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        ck_abort_msg("%s cannot be written", path);
}

static enum errc ignore_coin(void *arg, const struct coin *coin, struct err *err)
{
    (void)arg;
    (void)coin;
    (void)err;
    return ERR_OK;
}

static enum errc open_with(const uint8_t root[32], struct coinfile **f)
{
    return coinfile_open(dir.coins, dir.idx, root, f, &test_err);
}

static bool is_corrupt(enum errc rc)
{
    return rc == ERR_IO && test_err.reason == REASON_STORAGE_CORRUPT;
}

START_TEST(every_flipped_byte_of_the_file_is_seen)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, SMALL);
    static uint8_t file[FILE_MAX];
    size_t len = read_file(dir.coins, file);

    ck_assert_uint_eq(len, info.file_bytes);
    for (size_t i = 0; i < len; i++) {
        CLEANUP(coinfile_close) struct coinfile *f = NULL;
        struct coin got;
        bool found;

        file[i] ^= (uint8_t)(1U << i % 8);
        write_file(dir.coins, file, len);
        file[i] ^= (uint8_t)(1U << i % 8);
        if (i < 120) { /* the header */
            if (!is_corrupt(open_with(info.state_root, &f)))
                ck_abort_msg("header byte %zu is not seen at open", i);
            continue;
        }
        if (open_with(info.state_root,
                      &f)) /* the index is sound: nothing is read yet */
            ck_abort_msg("byte %zu: %s", i, test_err.msg);
        if (!is_corrupt(coinfile_find(f, &coins[0].at, &found, &got, &test_err)) ||
            !is_corrupt(coinfile_scan(f, ignore_coin, NULL, &test_err)) ||
            !is_corrupt(coinfile_verify(f, NULL, &test_err)))
            ck_abort_msg("byte %zu is not seen", i);
    }
}
END_TEST

START_TEST(every_flipped_byte_of_the_file_is_seen_without_an_index)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, SMALL);
    static uint8_t file[FILE_MAX];
    size_t len = read_file(dir.coins, file);

    for (size_t i = 0; i < len; i++) {
        CLEANUP(coinfile_close) struct coinfile *f = NULL;

        file[i] ^= (uint8_t)(0x80U >> i % 8);
        write_file(dir.coins, file, len);
        file[i] ^= (uint8_t)(0x80U >> i % 8);
        (void)unlink(dir.idx);
        if (!is_corrupt(open_with(info.state_root, &f)))
            ck_abort_msg("byte %zu is not seen", i);
        if (access(dir.idx, F_OK) == 0)
            ck_abort_msg("byte %zu: an index of a wrong file was kept", i);
    }
}
END_TEST

START_TEST(every_flipped_byte_of_the_index_makes_it_rebuilt)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, SMALL);
    static uint8_t idx[FILE_MAX], after[FILE_MAX];
    size_t len = read_file(dir.idx, idx);

    for (size_t i = 0; i < len; i++) {
        CLEANUP(coinfile_close) struct coinfile *f = NULL;

        idx[i] ^= (uint8_t)(1U << i % 8);
        write_file(dir.idx, idx, len);
        idx[i] ^= (uint8_t)(1U << i % 8);
        if (open_with(info.state_root, &f) || !coinfile_info(f)->index_rebuilt)
            ck_abort_msg("byte %zu of the index is not seen", i);
        if (read_file(dir.idx, after) != len || memcmp(after, idx, len) != 0)
            ck_abort_msg("byte %zu: another index was written", i);
    }
}
END_TEST

START_TEST(a_file_cut_or_extended_anywhere_is_seen)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, SMALL);
    static uint8_t file[FILE_MAX];
    size_t len = read_file(dir.coins, file);

    for (size_t n = 0; n < len + 200; n += n < 120 || n > len ? 1 : 7) {
        CLEANUP(coinfile_close) struct coinfile *f = NULL;

        if (n == len)
            continue;
        write_file(dir.coins, file, n);
        if (!is_corrupt(open_with(info.state_root, &f)))
            ck_abort_msg("a file of %zu bytes is not seen", n);
    }
}
END_TEST

START_TEST(an_index_cut_or_extended_anywhere_is_rebuilt)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, SMALL);
    static uint8_t idx[FILE_MAX];
    size_t len = read_file(dir.idx, idx);

    for (size_t n = 0; n < len + 50; n++) {
        CLEANUP(coinfile_close) struct coinfile *f = NULL;

        if (n == len)
            continue;
        write_file(dir.idx, idx, n);
        if (open_with(info.state_root, &f) || !coinfile_info(f)->index_rebuilt)
            ck_abort_msg("an index of %zu bytes is not seen", n);
    }
}
END_TEST

START_TEST(the_root_of_another_state_is_refused)
{
    AUTOFREE struct coin *coins = coins_many(3, SMALL);
    struct coinfile_info info = coins_write(&dir, &id_a, coins, SMALL);
    CLEANUP(coinfile_close) struct coinfile *f = NULL;

    info.state_root[5] ^= 1;
    ck_assert(is_corrupt(open_with(info.state_root, &f)));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "coin file has state root "));
    ASSERT_OK(open_with(NULL, &f));
    info.state_root[5] ^= 1;
    ck_assert_mem_eq(coinfile_info(f)->state_root, info.state_root, 32);
}
END_TEST

/* The hash of an index keeps rot out, not somebody who can compute one: then nothing is
   read that is not there, and a verification tells. */
START_TEST(a_forged_index_is_rebuilt_or_told)
{
    AUTOFREE struct coin *coins = coins_many(3, 3 * SMALL);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, 3 * SMALL);
    static uint8_t idx[FILE_MAX], forged[FILE_MAX];
    size_t len = read_file(dir.idx, idx), believed = 0;

    for (size_t i = 0; i < 8 * (len - 32); i++) {
        CLEANUP(coinfile_close) struct coinfile *f = NULL;
        struct coin got;
        bool found;

        memcpy(forged, idx, len);
        forged[i / 8] ^= (uint8_t)(1U << i % 8);
        hash_sha256(forged, len - 32, forged + len - 32);
        write_file(dir.idx, forged, len);
        if (open_with(info.state_root, &f))
            ck_abort_msg("bit %zu: %s", i, test_err.msg);
        if (coinfile_info(f)->index_rebuilt)
            continue;
        believed++; /* sparse keys only: the root and the sizes hold all before them */
        if (i / 8 < 176 + 84 * (size_t)info.chunk_count)
            ck_abort_msg("bit %zu of a forged index is believed", i);
        (void)coinfile_find(f, &coins[2].at, &found, &got, &test_err);
        (void)coinfile_scan(f, ignore_coin, NULL, &test_err);
        if (!is_corrupt(coinfile_verify(f, NULL, &test_err)))
            ck_abort_msg("bit %zu of a forged index is not seen", i);
    }
    ck_assert_uint_gt(believed, 0);
}
END_TEST

START_TEST(an_index_of_another_file_is_not_believed)
{
    AUTOFREE struct coin *mine = coins_many(3, SMALL), *others = coins_many(4, SMALL);
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    static uint8_t idx[FILE_MAX];
    struct coinfile_info info;
    size_t len;

    (void)coins_write(&dir, &id_a, others, SMALL);
    len = read_file(dir.idx, idx);
    info = coins_write(&dir, &id_a, mine, SMALL);
    write_file(dir.idx, idx, len);
    ASSERT_OK(open_with(info.state_root, &f));
    ck_assert(coinfile_info(f)->index_rebuilt);
    ASSERT_OK(coinfile_verify(f, NULL, &test_err));
}
END_TEST

START_TEST(a_directory_or_a_missing_file_is_an_error)
{
    CLEANUP(coinfile_close) struct coinfile *f = NULL;

    ASSERT_ERR(ERR_IO, open_with(NULL, &f));
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(test_err.msg, "base.coins is gone"));
    ck_assert(is_corrupt(coinfile_open(dir.path, dir.idx, NULL, &f, &test_err)));
}
END_TEST

enum { MANY = 30000, THREADS = 4 };

struct reader {
    struct coinfile *f;
    const struct coin *coins;
    uint32_t from, wrong;
};

static void *read_all(void *arg)
{
    struct reader *r = arg;

    for (uint32_t i = 0; i < MANY; i += 7) {
        const struct coin *want = &r->coins[(i + r->from) % MANY];
        struct coin got;
        struct err err;
        bool found;

        if (coinfile_find(r->f, &want->at, &found, &got, &err) || !found ||
            !coins_same(want, &got))
            r->wrong++;
    }
    return NULL;
}

START_TEST(threads_read_one_file_at_once)
{
    AUTOFREE struct coin *coins = coins_many(9, MANY);
    const struct coinfile_info info = coins_write(&dir, &id_a, coins, MANY);
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    struct reader readers[THREADS];
    pthread_t threads[THREADS];

    ASSERT_OK(open_with(info.state_root, &f));
    for (uint32_t i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){.f = f, .coins = coins, .from = i * 5000};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_uint_eq(readers[i].wrong, 0);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("coinfile_damage");
    TCase *t = tcase_create("damage");

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, every_flipped_byte_of_the_file_is_seen);
    tcase_add_test(t, every_flipped_byte_of_the_file_is_seen_without_an_index);
    tcase_add_test(t, every_flipped_byte_of_the_index_makes_it_rebuilt);
    tcase_add_test(t, a_file_cut_or_extended_anywhere_is_seen);
    tcase_add_test(t, an_index_cut_or_extended_anywhere_is_rebuilt);
    tcase_add_test(t, a_forged_index_is_rebuilt_or_told);
    tcase_add_test(t, the_root_of_another_state_is_refused);
    tcase_add_test(t, an_index_of_another_file_is_not_believed);
    tcase_add_test(t, a_directory_or_a_missing_file_is_an_error);
    tcase_add_test(t, threads_read_one_file_at_once);
    suite_add_tcase(s, t);
    return s;
}
