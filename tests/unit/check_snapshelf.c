#include "sync/snapshot/snapshelf.h"
#include "tests/unit/snapshot_kit.h"

static char data_dir[48];
static struct snapshot_kit kit;
static char id[MANIFEST_ID];

/* A data directory with one snapshot, of height 77. */
static void set_up(void)
{
    char made_in[64];
    AUTOFREE struct coin *coins = coins_many(3, 50);
    CLEANUP(manifest_free) struct manifest *m = NULL;

    snapshot_kit_init(&kit);
    memcpy(made_in, kit.parent, sizeof(made_in));
    ck_assert_int_eq(rmdir(made_in), 0);
    (void)snprintf(data_dir, sizeof(data_dir), "/tmp/check_snapshelf-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(data_dir));
    ASSERT_OK(snapshelf_sweep(data_dir, &test_err)); /* makes the directory */
    (void)snprintf(kit.parent, sizeof(kit.parent), "%s/snapshots", data_dir);
    m = snapshot_kit_make(&kit, coins, 50, NULL);
    manifest_id(m, id);
}

static void tear_down(void)
{
    if (snapshelf_place(data_dir, id) != SNAPSHELF_NONE)
        ASSERT_OK(snapshelf_remove(data_dir, id, &test_err));
    ck_assert_int_eq(rmdir(kit.parent), 0); /* nothing else is left */
    ck_assert_int_eq(rmdir(data_dir), 0);
}

static void put(const char *name, const char *text)
{
    AUTOFREE char *path = xasprintf("%s/%s", kit.parent, name);
    FILE *f = fopen(path, "w");

    ck_assert_msg(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

static void make_dir(const char *name)
{
    AUTOFREE char *path = xasprintf("%s/%s", kit.parent, name);

    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static bool is_there(const char *name)
{
    AUTOFREE char *path = xasprintf("%s/%s", kit.parent, name);

    return access(path, F_OK) == 0;
}

START_TEST(what_has_an_id_and_a_manifest_is_listed)
{
    struct snapshelf shelf;

    make_dir("12-0123456789abcdef");            /* has none */
    make_dir("77-0123456789abcdef.incomplete"); /* is none */
    ASSERT_OK(snapshelf_read(data_dir, &shelf, &test_err));
    ck_assert_uint_eq(shelf.count, 1);
    ck_assert_str_eq(shelf.items[0].id, id);
    ck_assert_uint_eq(shelf.items[0].manifest->height, 77);
    ck_assert_uint_eq(shelf.items[0].manifest->coin_count, 50);
    ck_assert_int_gt(shelf.items[0].made_ms, 0);
    ck_assert(!shelf.items[0].withdrawn);
    snapshelf_fini(&shelf);
    ASSERT_OK(snapshelf_sweep(data_dir, &test_err));
    ck_assert(!is_there("12-0123456789abcdef"));
}
END_TEST

START_TEST(without_the_directory_there_is_none)
{
    struct snapshelf shelf;

    ASSERT_OK(snapshelf_read("/tmp/no such data directory", &shelf, &test_err));
    ck_assert_uint_eq(shelf.count, 0);
    snapshelf_fini(&shelf);
}
END_TEST

START_TEST(what_a_crash_left_is_swept_and_what_is_not_ours_stays)
{
    make_dir("77-0123456789abcdef.incomplete");
    put("77-0123456789abcdef.incomplete/base.coins.zst", "x");
    make_dir("76-0123456789abcdef"); /* its removal had begun */
    put("76-0123456789abcdef/chunks.bin", "x");
    put("76-0123456789abcdef/upload-1.json", "x");
    make_dir("notes");
    ASSERT_OK(snapshelf_sweep(data_dir, &test_err));
    ck_assert(!is_there("77-0123456789abcdef.incomplete"));
    ck_assert(!is_there("76-0123456789abcdef"));
    ck_assert(is_there("notes"));
    ck_assert_int_eq((int)snapshelf_place(data_dir, id), SNAPSHELF_HERE);
    {
        AUTOFREE char *path = xasprintf("%s/notes", kit.parent);

        ck_assert_int_eq(rmdir(path), 0);
    }
}
END_TEST

START_TEST(what_cannot_be_swept_does_not_keep_the_rest)
{
    AUTOFREE char *path = xasprintf("%s/77-0123456789abcdef.incomplete", kit.parent);

    put("77-0123456789abcdef.incomplete", "a file");
    make_dir("76-0123456789abcdef");
    make_dir("78-0123456789abcdef");
    ASSERT_ERR(ERR_IO, snapshelf_sweep(data_dir, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "77-0123456789abcdef.incomplete"));
    ck_assert(!is_there("76-0123456789abcdef") && !is_there("78-0123456789abcdef"));
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(one_that_is_withdrawn_keeps_its_manifest_alone)
{
    struct snapshelf_item item;
    AUTOFREE char *frames = xasprintf("%s/base.coins.zst", id);
    AUTOFREE char *table = xasprintf("%s/chunks.bin", id);

    ASSERT_OK(snapshelf_withdraw(data_dir, id, "a \"wrong\" key", 1234, &test_err));
    ASSERT_OK(snapshelf_withdraw(data_dir, id, "another", 5678, &test_err));
    ck_assert_int_eq((int)snapshelf_place(data_dir, id), SNAPSHELF_WITHDRAWN);
    ck_assert(!is_there(frames) && !is_there(table));
    ASSERT_OK(snapshelf_get(data_dir, id, &item, &test_err));
    ck_assert(item.withdrawn);
    ck_assert_int_eq(item.withdrawn_ms, 1234);
    ck_assert_str_eq(item.reason, "a \"wrong\" key");
    snapshelf_item_fini(&item);
    put(frames, "of a crash in between");
    ASSERT_OK(snapshelf_sweep(data_dir, &test_err));
    ck_assert(!is_there(frames));
    ck_assert_int_eq((int)snapshelf_place(data_dir, id), SNAPSHELF_WITHDRAWN);
}
END_TEST

START_TEST(a_broken_mark_withdraws_all_the_same)
{
    struct snapshelf_item item;
    AUTOFREE char *mark = xasprintf("%s/withdrawn.json", id);

    put(mark, "");
    ck_assert_int_eq((int)snapshelf_place(data_dir, id), SNAPSHELF_WITHDRAWN);
    ASSERT_OK(snapshelf_get(data_dir, id, &item, &test_err));
    ck_assert(item.withdrawn);
    ck_assert_str_eq(item.reason, "");
    snapshelf_item_fini(&item);
}
END_TEST

static const char *const no_ids[] = {"",
                                     ".",
                                     "..",
                                     "../x",
                                     "77",
                                     "77-0123456789ABCDEF",
                                     "77-0123456789abcdef/..",
                                     "77-0123456789abcdef0",
                                     "99999999999999999999999999999999999999999999999",
                                     "77-0123456789abcdef"};

START_TEST(what_is_no_id_is_not_looked_for)
{
    struct snapshelf_item item;

    ck_assert_int_eq((int)snapshelf_place(data_dir, no_ids[_i]), SNAPSHELF_NONE);
    ASSERT_ERR(ERR_NOTFOUND, snapshelf_get(data_dir, no_ids[_i], &item, &test_err));
    ASSERT_ERR(ERR_NOTFOUND,
               snapshelf_withdraw(data_dir, no_ids[_i], "r", 1, &test_err));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("snapshelf");
    TCase *tc = tcase_create("core");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, what_has_an_id_and_a_manifest_is_listed);
    tcase_add_test(tc, without_the_directory_there_is_none);
    tcase_add_test(tc, what_a_crash_left_is_swept_and_what_is_not_ours_stays);
    tcase_add_test(tc, what_cannot_be_swept_does_not_keep_the_rest);
    tcase_add_test(tc, one_that_is_withdrawn_keeps_its_manifest_alone);
    tcase_add_test(tc, a_broken_mark_withdraws_all_the_same);
    tcase_add_loop_test(tc, what_is_no_id_is_not_looked_for, 0,
                        (int)(sizeof(no_ids) / sizeof(no_ids[0])));
    suite_add_tcase(s, tc);
    return s;
}
