#include <sqlite3.h>

#include "store/control.h"
#include "tests/unit/coins.h"

enum { ENTRIES = 10 };

static struct coins_dir dir;
static struct control *db;

static void open_db(void)
{
    char body[32];

    dir = coins_dir_make();
    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &db, &test_err));
    for (int i = 1; i <= ENTRIES; i++) {
        (void)snprintf(body, sizeof(body), "{\"n\":%d}", i);
        ASSERT_OK(control_audit_append(db, 1000 + i, "kind", body, &test_err));
    }
}

static void close_db(void)
{
    control_close(db);
    coins_dir_remove(&dir);
}

static int try_sql(const char *sql)
{
    sqlite3 *raw = NULL;
    int rc;

    ck_assert_int_eq(sqlite3_open(dir.db, &raw), SQLITE_OK);
    rc = sqlite3_exec(raw, sql, NULL, NULL, NULL);
    (void)sqlite3_close(raw);
    return rc;
}

/* Somebody with the file in hand and no respect for triggers. */
static void tamper(const char *sql)
{
    char *all = xasprintf(
        "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; %s", sql);

    ck_assert_int_eq(try_sql(all), SQLITE_OK);
    free(all);
}

static struct control_audit_check verify(void)
{
    struct control_audit_check check = {0};

    ASSERT_OK(control_audit_verify(db, &check, &test_err));
    return check;
}

struct seen {
    int64_t first, last, n;
    uint8_t head[32];
};

static enum errc note_entry(void *arg, const struct control_audit *a, struct err *err)
{
    struct seen *s = arg;
    char body[32];

    (void)err;
    (void)snprintf(body, sizeof(body), "{\"n\":%lld}", (long long)a->seq);
    ck_assert_str_eq(a->body, body);
    ck_assert_str_eq(a->kind, "kind");
    ck_assert_int_eq(a->at_ms, 1000 + a->seq);
    if (s->n > 0)
        ck_assert_mem_eq(a->prev, s->head, 32);
    s->first = s->n++ == 0 ? a->seq : s->first;
    s->last = a->seq;
    memcpy(s->head, a->hash, 32);
    return ERR_OK;
}

START_TEST(entries_come_oldest_first_and_in_pages)
{
    struct seen all = {0}, page = {0};

    ASSERT_OK(control_audit_each(db, 0, 100, note_entry, &all, &test_err));
    ck_assert(all.first == 1 && all.last == ENTRIES && all.n == ENTRIES);
    ASSERT_OK(control_audit_each(db, 4, 3, note_entry, &page, &test_err));
    ck_assert(page.first == 5 && page.last == 7 && page.n == 3);
}
END_TEST

START_TEST(an_untouched_log_is_ok)
{
    struct seen all = {0};
    const struct control_audit_check check = verify();

    ASSERT_OK(control_audit_each(db, 0, 100, note_entry, &all, &test_err));
    ck_assert(check.ok && check.entries == ENTRIES && check.first_bad == 0);
    ck_assert_mem_eq(check.head, all.head, 32);
    ck_assert_str_eq(check.what, "");
}
END_TEST

/* Computed apart, by another program, from the words in control.h. */
START_TEST(the_hash_is_the_documented_one)
{
    struct seen page = {0};
    char text[65];

    ASSERT_OK(control_audit_each(db, 0, 2, note_entry, &page, &test_err));
    hex_encode(page.head, 32, text);
    ck_assert_str_eq(
        text, "0743ec1a7afdf2121fcf2da1761a1fa6e4d2d6b18673e9aed8b0ed6d50cc56c4");
}
END_TEST

START_TEST(an_empty_log_is_ok)
{
    struct control_audit_check check;

    tamper("DELETE FROM audit; UPDATE audit_head SET entries = 0, hash = zeroblob(32)");
    check = verify();
    ck_assert(check.ok && check.entries == 0);
}
END_TEST

START_TEST(the_log_refuses_changes)
{
    ck_assert_int_eq(try_sql("UPDATE audit SET body = 'x' WHERE seq = 3"),
                     SQLITE_CONSTRAINT);
    ck_assert_int_eq(try_sql("DELETE FROM audit WHERE seq = 3"), SQLITE_CONSTRAINT);
    ck_assert_int_eq(try_sql("INSERT OR REPLACE INTO audit SELECT * FROM audit"),
                     SQLITE_CONSTRAINT);
    ck_assert(verify().ok);
}
END_TEST

START_TEST(an_append_in_a_rolled_back_transaction_is_gone)
{
    ASSERT_OK(control_begin(db, &test_err));
    ASSERT_OK(control_audit_append(db, 5, "lost", "{}", &test_err));
    control_rollback(db);
    ck_assert(verify().ok && verify().entries == ENTRIES);
    ASSERT_OK(control_begin(db, &test_err));
    ASSERT_OK(control_audit_append(db, 5, "kept", "{}", &test_err));
    ASSERT_OK(control_commit(db, &test_err));
    ck_assert(verify().ok && verify().entries == ENTRIES + 1);
}
END_TEST

#define SHIFT_FROM(n)                                  \
    "UPDATE audit SET seq = -seq WHERE seq >= " #n ";" \
    "UPDATE audit SET seq = 1 - seq WHERE seq < 0;"
#define ROW(seq, prev) \
    "INSERT INTO audit VALUES(" #seq ", 5, 'k', '{}', " prev ", zeroblob(32));"

static const struct {
    const char *sql, *what;
    int64_t first_bad;
} attacks[] = {
    {"UPDATE audit SET body = '{\"n\":0}' WHERE seq = 4", "altered", 4},
    {"UPDATE audit SET body = body || char(0) || 'x' WHERE seq = 4", "altered", 4},
    {"UPDATE audit SET kind = 'king' WHERE seq = 1", "altered", 1},
    {"UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 10", "altered", 10},
    {"UPDATE audit SET prev = zeroblob(32) WHERE seq = 5", "altered", 5},
    {"UPDATE audit SET hash = zeroblob(32) WHERE seq = 6", "altered", 6},
    {"UPDATE audit SET kind = 'a', body = 'b' WHERE seq = 7", "altered", 7},
    {"DELETE FROM audit WHERE seq = 1", "missing", 1},
    {"DELETE FROM audit WHERE seq = 5", "missing", 5},
    {"DELETE FROM audit WHERE seq IN (3, 5)", "missing", 3},
    {"DELETE FROM audit WHERE seq = 10", "tail cut", 10},
    {"DELETE FROM audit WHERE seq > 2", "tail cut", 3},
    {"DELETE FROM audit", "tail cut", 1},
    {"DELETE FROM audit WHERE seq = 4; UPDATE audit SET seq = seq - 1 WHERE seq > 4",
     "altered", 4},
    {SHIFT_FROM(5) ROW(5, "(SELECT hash FROM audit WHERE seq = 4)"), "altered", 5},
    {ROW(0, "zeroblob(32)"), "inserted", 0},
    {ROW(-3, "zeroblob(32)"), "inserted", -3},
    {ROW(11, "(SELECT hash FROM audit WHERE seq = 10)"), "altered", 11},
    {"UPDATE audit_head SET hash = zeroblob(32)", "altered", 10},
    {"UPDATE audit_head SET entries = 9", "inserted", 10},
};

START_TEST(tampering_is_seen_and_the_first_bad_entry_named)
{
    struct control_audit_check check;

    tamper(attacks[_i].sql);
    check = verify();
    ck_assert_msg(!check.ok && strcmp(check.what, attacks[_i].what) == 0 &&
                      check.first_bad == attacks[_i].first_bad,
                  "%s: %s at %lld", attacks[_i].sql, check.what,
                  (long long)check.first_bad);
}
END_TEST

START_TEST(an_entry_given_a_new_hash_is_named)
{
    /* A sound entry 3 of another log: its own hash fits, the next one does not follow.
     */
    struct control *own = db;
    struct coins_dir other = dir;
    struct control_audit_check check;
    char *sql;

    dir = coins_dir_make();
    ASSERT_OK(control_open(dir.db, CONTROL_WRITER, &db, &test_err));
    ASSERT_OK(control_audit_append(db, 1001, "kind", "{\"n\":1}", &test_err));
    ASSERT_OK(control_audit_append(db, 1002, "kind", "{\"n\":2}", &test_err));
    ASSERT_OK(control_audit_append(db, 1003, "kind", "{\"n\":33}", &test_err));
    tamper("");
    sql =
        xasprintf("ATTACH '%s' AS forged; DROP TRIGGER audit_no_update;"
                  "UPDATE audit SET (body, hash) = (SELECT body, hash FROM forged.audit"
                  " WHERE seq = 3) WHERE seq = 3",
                  dir.db);
    {
        struct control *forged = db;
        struct coins_dir forged_dir = dir;

        db = own;
        dir = other;
        ck_assert_int_eq(try_sql(sql), SQLITE_OK);
        check = verify();
        control_close(forged);
        coins_dir_remove(&forged_dir);
    }
    free(sql);
    ck_assert(!check.ok);
    ck_assert_int_eq(check.first_bad, 3);
    ck_assert_str_eq(check.what, "altered");
}
END_TEST

START_TEST(an_inserted_entry_with_a_sound_hash_is_named)
{
    /* The log continues as if entry 5 were not there: 6.. still follow on entry 4. */
    struct control_audit_check check;

    tamper(
        "DELETE FROM audit WHERE seq > 4;"
        "UPDATE audit_head SET entries = 4, hash = (SELECT hash FROM audit WHERE seq = 4)");
    ASSERT_OK(control_audit_append(db, 5, "k", "{}", &test_err));
    ck_assert_int_eq(
        try_sql("INSERT INTO audit SELECT 6, 1005, 'kind', '{\"n\":5}', prev,"
                " zeroblob(32) FROM audit WHERE seq = 5"),
        SQLITE_OK);
    check = verify();
    ck_assert(!check.ok);
    ck_assert_int_eq(check.first_bad, 5);
    ck_assert_str_eq(check.what, "inserted");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("control_audit");
    TCase *t = tcase_create("audit");

    tcase_add_checked_fixture(t, open_db, close_db);
    tcase_add_test(t, entries_come_oldest_first_and_in_pages);
    tcase_add_test(t, an_untouched_log_is_ok);
    tcase_add_test(t, the_hash_is_the_documented_one);
    tcase_add_test(t, an_empty_log_is_ok);
    tcase_add_test(t, the_log_refuses_changes);
    tcase_add_test(t, an_append_in_a_rolled_back_transaction_is_gone);
    tcase_add_loop_test(t, tampering_is_seen_and_the_first_bad_entry_named, 0,
                        sizeof(attacks) / sizeof(attacks[0]));
    tcase_add_test(t, an_entry_given_a_new_hash_is_named);
    tcase_add_test(t, an_inserted_entry_with_a_sound_hash_is_named);
    suite_add_tcase(s, t);
    return s;
}
