#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "store/db.h"

void db_stmt_done(sqlite3_stmt **st)
{
    (void)sqlite3_reset(*st); /* its failure was seen at the step */
    (void)sqlite3_clear_bindings(*st);
}

static void must(int sqlite_rc)
{
    if (sqlite_rc != SQLITE_OK)
        abort();
}

void db_bind_int(sqlite3_stmt *st, int at, int64_t value)
{
    must(sqlite3_bind_int64(st, at, value));
}

void db_bind_double(sqlite3_stmt *st, int at, double value)
{
    must(sqlite3_bind_double(st, at, value));
}

void db_bind_blob(sqlite3_stmt *st, int at, const void *bytes, size_t len)
{
    /* A NULL pointer would bind NULL, not an empty blob. */
    must(sqlite3_bind_blob64(st, at, len > 0 ? bytes : "", len, SQLITE_STATIC));
}

void db_bind_text(sqlite3_stmt *st, int at, const char *text)
{
    must(text ? sqlite3_bind_text64(st, at, text, strlen(text), SQLITE_STATIC,
                                    SQLITE_UTF8)
              : sqlite3_bind_null(st, at));
}

enum errc db_step_row(struct db *db, sqlite3_stmt *st, bool *row, const char *what,
                      struct err *err)
{
    int rc = sqlite3_step(st);

    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return db_fail(db, what, err);
    *row = rc == SQLITE_ROW;
    return ERR_OK;
}

enum errc db_each_row(struct db *db, sqlite3_stmt *st, const char *what,
                      enum errc (*row)(void *arg, sqlite3_stmt *st, struct err *err),
                      void *arg, struct err *err)
{
    for (;;) {
        bool more = false;
        enum errc rc = db_step_row(db, st, &more, what, err);

        if (!rc && more)
            rc = row(arg, st, err);
        if (rc || !more)
            return rc;
    }
}

enum errc db_step_done(struct db *db, sqlite3_stmt *st, const char *what,
                       struct err *err)
{
    /* Outside a transaction the statement is one. */
    bool commits = db->writer && sqlite3_get_autocommit(db->handle) != 0 &&
                   !sqlite3_stmt_readonly(st);

    if (commits)
        failpoint_pass(FAILPOINT_COMMIT_BEFORE);
    if (sqlite3_step(st) != SQLITE_DONE)
        return db_fail(db, what, err);
    if (commits)
        failpoint_pass(FAILPOINT_COMMIT_AFTER);
    return ERR_OK;
}

enum errc db_step_one(struct db *db, sqlite3_stmt *st, const char *what,
                      struct err *err)
{
    enum errc rc = db_step_done(db, st, what, err);

    if (!rc && sqlite3_changes(db->handle) != 1)
        return err_fail(err, REASON_STORAGE_CORRUPT, "%s: %d rows, not one", what,
                        sqlite3_changes(db->handle));
    return rc;
}

bool db_column_blob(sqlite3_stmt *st, int at, void *out, size_t len)
{
    const void *bytes = sqlite3_column_blob(st, at);

    if (!bytes || (size_t)sqlite3_column_bytes(st, at) != len)
        return false;
    memcpy(out, bytes, len);
    return true;
}

bool db_column_text(sqlite3_stmt *st, int at, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(st, at);
    size_t len = (size_t)sqlite3_column_bytes(st, at);

    if (!text || len >= size || memchr(text, '\0', len))
        return false;
    memcpy(out, text, len + 1);
    return true;
}

char *db_column_dup(sqlite3_stmt *st, int at)
{
    const unsigned char *text = sqlite3_column_text(st, at);

    return text ? xstrndup((const char *)text, (size_t)sqlite3_column_bytes(st, at))
                : NULL;
}
