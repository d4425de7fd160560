#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "store/db.h"

enum { PROGRESS_OPS = 1000 }; /* of SQLite's machine, between two looks at a flag */

static enum reason reason_of(const struct db *db)
{
    int system = sqlite3_system_errno(db->handle);

    switch (sqlite3_errcode(db->handle) & 0xff) {
    case SQLITE_FULL:
        return REASON_DISK_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return REASON_STORAGE_CORRUPT;
    case SQLITE_INTERRUPT:
        return REASON_CANCELLED;
    case SQLITE_BUSY:
        return REASON_BUSY;
    case SQLITE_CONSTRAINT:
        return REASON_CONFLICT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return system == ENOSPC || system == EDQUOT ? REASON_DISK_FULL
                                                    : REASON_STORAGE_FAILED;
    default:
        return REASON_STORAGE_FAILED;
    }
}

enum errc db_fail(const struct db *db, const char *what, struct err *err)
{
    return err_fail(err, reason_of(db), "%s: %s", what, sqlite3_errmsg(db->handle));
}

static enum errc exec(struct db *db, const char *sql, const char *what, struct err *err)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return db_fail(db, what, err);
    return ERR_OK;
}

enum errc db_begin(struct db *db, struct err *err)
{
    return exec(db, db->writer ? "BEGIN IMMEDIATE" : "BEGIN", "begin", err);
}

enum errc db_commit(struct db *db, struct err *err)
{
    if (db->writer)
        failpoint_pass(FAILPOINT_COMMIT_BEFORE);
    if (exec(db, "COMMIT", "commit", err))
        return err->code;
    if (db->writer)
        failpoint_pass(FAILPOINT_COMMIT_AFTER);
    return ERR_OK;
}

void db_rollback(struct db *db)
{
    /* After some failures SQLite has rolled back already: then this one has no effect.
     */
    (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

enum errc db_save(struct db *db, struct err *err)
{
    return exec(db, "SAVEPOINT whole", "begin", err);
}

enum errc db_release(struct db *db, enum errc rc, struct err *err)
{
    if (!rc)
        failpoint_pass(FAILPOINT_COMMIT_BEFORE); /* that of the outermost commits */
    if (!rc)
        rc = exec(db, "RELEASE whole", "commit", err);
    if (!rc)
        failpoint_pass(FAILPOINT_COMMIT_AFTER);
    if (rc) /* whatever fails here was undone by SQLite already */
        (void)sqlite3_exec(db->handle, "ROLLBACK TO whole; RELEASE whole", NULL, NULL,
                           NULL);
    return rc;
}

static int is_set(void *flag)
{
    const atomic_bool *cancel = flag;

    return atomic_load(cancel);
}

void db_stop_when(struct db *db, atomic_bool *cancel)
{
    sqlite3_progress_handler(db->handle, PROGRESS_OPS, is_set, cancel);
}

enum errc db_check(struct db *db, struct err *err)
{
    sqlite3_stmt *st = NULL;
    enum errc rc = ERR_OK;

    if (sqlite3_prepare_v2(db->handle, "PRAGMA integrity_check(1)", -1, &st, NULL) !=
            SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW)
        rc = db_fail(db, "check", err);
    else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0)
        rc = err_fail(err, REASON_STORAGE_CORRUPT, "%.150s",
                      (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    return rc;
}

static enum errc schema_version(struct db *db, int64_t *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    enum errc rc = ERR_OK;

    if (sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &st, NULL) !=
            SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW)
        rc = db_fail(db, "schema version", err);
    else
        *out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc;
}

static enum errc migrate_one(struct db *db, const struct db_options *opt, size_t n,
                             struct err *err)
{
    char bump[48];

    (void)snprintf(bump, sizeof(bump), "PRAGMA user_version = %zu", n + 1);
    if (exec(db, opt->migrations[n], "migration", err) ||
        exec(db, bump, "migration", err))
        return err_wrap(err, "schema %zu", n + 1);
    return ERR_OK;
}

static enum errc check_newest(const struct db_options *opt, int64_t have,
                              struct err *err)
{
    int64_t know = (int64_t)opt->migration_count;

    if (have >= 0 && have <= know)
        return ERR_OK;
    return err_fail(err, REASON_SCHEMA_NEWER,
                    "%s has schema %lld, this program knows %lld", opt->path,
                    (long long)have, (long long)know);
}

static enum errc check_schema(struct db *db, const struct db_options *opt, int64_t have,
                              struct err *err)
{
    int64_t know = (int64_t)opt->migration_count;

    if (check_newest(opt, have, err))
        return err->code;
    if (!db->writer && have < know)
        return err_fail(err, REASON_STORAGE_FAILED,
                        "%s has schema %lld and is not migrated to %lld yet", opt->path,
                        (long long)have, (long long)know);
    return ERR_OK;
}

/* PRAGMA user_version as the file's header has it (the format fixes where), without
   SQLite, which would make a -wal and a -shm to look.  0 when there is none to tell. */
static int64_t header_version(const char *path)
{
    static const char magic[16] = "SQLite format 3";
    uint8_t head[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n;

    if (fd < 0)
        return 0;
    n = pread(fd, head, sizeof(head), 0);
    (void)close(fd);
    if (n != sizeof(head) || memcmp(head, magic, sizeof(magic)) != 0)
        return 0;
    return (int64_t)head[60] << 24 | head[61] << 16 | head[62] << 8 | head[63];
}

/* Nothing here writes, and db_close neither until db_open is done with it. */
static enum errc connect(struct db *db, const struct db_options *opt, int64_t *have,
                         struct err *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (db->writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                            : SQLITE_OPEN_READONLY);
    enum errc rc = check_newest(opt, header_version(opt->path), err);

    if (rc)
        return rc;
    if (sqlite3_open_v2(opt->path, &db->handle, flags, NULL) != SQLITE_OK)
        return db_fail(db, opt->path, err);
    (void)sqlite3_busy_timeout(db->handle, 5000);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    rc = schema_version(db, have, err);
    if (!rc && opt->check)
        rc = db_check(db, err);
    if (rc)
        return err_wrap(err, "%s", opt->path);
    return check_schema(db, opt, *have, err);
}

/* Caches are small on purpose: an idle daemon is to stay small. */
#define PRAGMAS                                             \
    "PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF;" \
    "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"

static enum errc configure(struct db *db, struct err *err)
{
    if (!db->writer)
        return exec(db, PRAGMAS "PRAGMA cache_size=-2048;", "configure", err);
    return exec(db,
                PRAGMAS "PRAGMA cache_size=-8192; PRAGMA synchronous=FULL;"
                        "PRAGMA journal_size_limit=67108864;",
                "configure", err);
}

static enum errc prepare_all(struct db *db, const struct db_options *opt,
                             struct err *err)
{
    db->stmt = xcalloc(opt->sql_count, sizeof(sqlite3_stmt *));
    db->stmt_count = opt->sql_count;
    for (size_t i = 0; i < opt->sql_count; i++)
        if (sqlite3_prepare_v3(db->handle, opt->sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &db->stmt[i], NULL) != SQLITE_OK)
            return db_fail(db, opt->sql[i], err);
    return ERR_OK;
}

/* All steps in one transaction: the file is of the newest schema and sound, or as it
   was. */
static enum errc migrate(struct db *db, const struct db_options *opt, size_t have,
                         struct err *err)
{
    enum errc rc = db_begin(db, err);

    for (size_t n = have; !rc && n < opt->migration_count; n++)
        rc = migrate_one(db, opt, n, err);
    if (!rc)
        rc = prepare_all(db, opt, err);
    if (!rc && have > 0 && opt->verify)
        rc = opt->verify(opt->verify_arg, err);
    if (!rc)
        rc = db_commit(db, err);
    if (rc)
        db_rollback(db);
    return rc;
}

enum errc db_open(struct db *db, const struct db_options *opt, struct err *err)
{
    int64_t have = 0;
    enum errc rc;

    db->writer = opt->writer;
    rc = connect(db, opt, &have, err);
    if (rc)
        return rc;
    rc = configure(db, err);
    if (!rc && (size_t)have < opt->migration_count)
        rc = migrate(db, opt, (size_t)have, err);
    else if (!rc)
        rc = prepare_all(db, opt, err);
    if (!rc && db->writer)
        rc = exec(db, "PRAGMA journal_mode=WAL", "configure", err);
    if (rc)
        return err_wrap(err, "%s", opt->path);
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return ERR_OK;
}

void db_close(struct db *db)
{
    for (size_t i = 0; i < db->stmt_count; i++)
        sqlite3_finalize(db->stmt[i]);
    free(db->stmt);
    (void)sqlite3_close(db->handle); /* takes NULL; no statement is left */
    *db = (struct db){0};
}
