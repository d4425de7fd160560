#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "store/chaindb.h"
#include "store/control.h"
#include "store/schema.h"
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

static void run_sql(const char *sql)
{
    sqlite3 *raw = NULL;

    ck_assert_int_eq(sqlite3_open(dir.db, &raw), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(raw, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(raw));
    (void)sqlite3_close(raw);
}

static int64_t get_pragma(const char *sql)
{
    sqlite3 *raw = NULL;
    sqlite3_stmt *st = NULL;
    int64_t value;

    ck_assert_int_eq(sqlite3_open(dir.db, &raw), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(raw, sql, -1, &st, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
    value = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(raw);
    return value;
}

static size_t read_db(uint8_t *out, size_t max)
{
    FILE *f = fopen(dir.db, "rb");
    size_t n;

    ck_assert_ptr_nonnull(f);
    n = fread(out, 1, max, f);
    (void)fclose(f);
    return n;
}

START_TEST(a_new_file_gets_the_newest_schema)
{
    CLEANUP(control_close) struct control *c = NULL;

    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &c, &test_err));
    ck_assert_int_eq(get_pragma("PRAGMA user_version"), (int64_t)schema_control_count);
    ck_assert_uint_ge(schema_control_count, 1);
    ck_assert_uint_ge(schema_chain_count, 1);
}
END_TEST

START_TEST(opening_again_keeps_what_is_there)
{
    struct control *c = NULL;
    AUTOFREE char *value = NULL;
    bool found = false;

    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &c, &test_err));
    ASSERT_OK(control_meta_set(c, "k", "v", &test_err));
    control_close(c);
    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &c, &test_err));
    ASSERT_OK(control_meta_get(c, "k", &found, &value, &test_err));
    ck_assert(found);
    control_close(c);
}
END_TEST

enum { DB_MAX = 1 << 20 };

static enum errc open_control(enum control_mode mode)
{
    CLEANUP(control_close) struct control *c = NULL;

    return control_open(dir.db, mode, &c, &test_err);
}

START_TEST(a_newer_schema_is_refused_and_not_touched)
{
    AUTOFREE char *known =
        xasprintf("has schema 99, this program knows %zu", schema_control_count);
    static uint8_t before[DB_MAX], after[DB_MAX];
    size_t len;

    ASSERT_OK(open_control(CONTROL_WRITER));
    run_sql("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99");
    len = read_db(before, DB_MAX);
    ASSERT_ERR(ERR_CONFLICT, open_control(CONTROL_WRITER));
    ck_assert_int_eq((int)test_err.reason, REASON_SCHEMA_NEWER);
    ck_assert_ptr_nonnull(strstr(test_err.msg, known));
    ASSERT_ERR(ERR_CONFLICT, open_control(CONTROL_READER));
    ck_assert_uint_eq(read_db(after, DB_MAX), len);
    ck_assert_mem_eq(after, before, len);
}
END_TEST

START_TEST(a_newer_schema_in_the_log_of_a_crash_is_not_touched)
{
    static uint8_t before[DB_MAX], after[DB_MAX];
    sqlite3 *crashed = NULL;
    size_t len;

    ASSERT_OK(open_control(CONTROL_WRITER));
    /* The version is only in the WAL, and the WAL stays as a crash leaves it. */
    ck_assert_int_eq(sqlite3_open(dir.db, &crashed), SQLITE_OK);
    (void)sqlite3_db_config(crashed, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    ck_assert_int_eq(
        sqlite3_exec(crashed, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(crashed);
    len = read_db(before, DB_MAX);
    ASSERT_ERR(ERR_CONFLICT, open_control(CONTROL_WRITER));
    ck_assert_uint_eq(read_db(after, DB_MAX), len);
    ck_assert_mem_eq(after, before, len);
}
END_TEST

START_TEST(an_older_schema_is_migrated)
{
    CLEANUP(chaindb_close) struct chaindb *db = NULL;

    run_sql("PRAGMA user_version = 0"); /* before the first: an empty file */
    ASSERT_ERR(ERR_IO, chaindb_open(dir.db, CHAINDB_READER, &db, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "is not migrated"));
    ASSERT_OK(chaindb_open(dir.db, CHAINDB_WRITER, &db, &test_err));
    ck_assert_int_eq(get_pragma("PRAGMA user_version"), (int64_t)schema_chain_count);
}
END_TEST

START_TEST(a_failed_migration_leaves_nothing)
{
    run_sql("CREATE TABLE job(id)"); /* in the way of the first */
    ASSERT_ERR(ERR_IO, open_control(CONTROL_WRITER));
    ck_assert_ptr_nonnull(
        strstr(test_err.msg, "schema 1: migration: table job already"));
    ck_assert_int_eq(get_pragma("PRAGMA user_version"), 0);
    ck_assert_int_eq(get_pragma("SELECT count(*) FROM sqlite_schema"), 1);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_corrupt)
{
    FILE *f = fopen(dir.db, "wb");

    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 500; i++)
        (void)fputs("this is not a database; ", f);
    (void)fclose(f);
    ASSERT_ERR(ERR_IO, open_control(CONTROL_WRITER));
    ck_assert_int_eq((int)test_err.reason, REASON_STORAGE_CORRUPT);
}
END_TEST

/* A file size limit is a disk that takes no more; SQLite sees EFBIG, not ENOSPC. */
START_TEST(a_write_that_fails_is_an_error_and_changes_nothing)
{
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    CLEANUP_BUF struct buf out = BUF(1 << 21);
    AUTOFREE char *text = xcalloc(1, 1 << 20);
    const struct rlimit tiny = {.rlim_cur = 1 << 18, .rlim_max = RLIM_INFINITY};
    const uint8_t hash[32] = {1};
    struct rlimit before;
    bool found = true;
    enum errc rc;

    ASSERT_OK(chaindb_open(dir.db, CHAINDB_WRITER, &db, &test_err));
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    rc = setrlimit(RLIMIT_FSIZE, &tiny) == 0
             ? chaindb_body_put(db, hash, text, 1 << 20, &test_err)
             : ERR_OK;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_ERR(ERR_IO, rc);
    ck_assert(test_err.reason == REASON_STORAGE_FAILED ||
              test_err.reason == REASON_DISK_FULL);
    ASSERT_OK(chaindb_body_get(db, hash, &found, &out, &test_err));
    ck_assert(!found);
    ASSERT_OK(chaindb_body_put(db, hash, text, 1 << 20, &test_err));
}
END_TEST

START_TEST(the_writer_is_durable)
{
    CLEANUP(control_close) struct control *c = NULL;
    char name[104];

    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &c, &test_err));
    ASSERT_OK(control_meta_set(c, "k", "v", &test_err));
    (void)snprintf(name, sizeof(name), "%s-wal", dir.db);
    ck_assert_int_eq(access(name, F_OK), 0); /* WAL it is */
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("schema");
    TCase *t = tcase_create("schema");

    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_add_test(t, a_new_file_gets_the_newest_schema);
    tcase_add_test(t, opening_again_keeps_what_is_there);
    tcase_add_test(t, a_newer_schema_is_refused_and_not_touched);
    tcase_add_test(t, a_newer_schema_in_the_log_of_a_crash_is_not_touched);
    tcase_add_test(t, an_older_schema_is_migrated);
    tcase_add_test(t, a_failed_migration_leaves_nothing);
    tcase_add_test(t, a_file_that_is_no_database_is_corrupt);
    tcase_add_test(t, a_write_that_fails_is_an_error_and_changes_nothing);
    tcase_add_test(t, the_writer_is_durable);
    suite_add_tcase(s, t);
    return s;
}
