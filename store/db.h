#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * One SQLite connection with its statements, all prepared at open: what chaindb and
 * control share.  It belongs to one thread.  Embedded: db_open fills it, db_close
 * empties it, also one that was only zeroed.
 */
struct db {
    sqlite3 *handle;
    sqlite3_stmt **stmt; /* by the enum of the owner's .def file */
    size_t stmt_count;
    bool writer;
};

struct db_options {
    const char *path;
    bool writer; /* creates and migrates; else read-only */
    bool check;  /* read through before anything is written: STORAGE_CORRUPT */
    /* Of an older file, once it is migrated and before that is committed: what it
       refuses stays as it was.  NULL: nothing. */
    enum errc (*verify)(void *arg, struct err *err);
    void *verify_arg;
    const char *const *migrations;
    size_t migration_count;
    const char *const *sql;
    size_t sql_count;
};

/* SCHEMA_NEWER leaves the file as it is. */
enum errc db_open(struct db *db, const struct db_options *opt, struct err *err);
void db_close(struct db *db);

/* Reads all of it, for what can be seen without knowing what was in it. */
enum errc db_check(struct db *db, struct err *err);

/* What runs from now on ends with CANCELLED once the flag, which outlives db, is set.
 */
void db_stop_when(struct db *db, atomic_bool *cancel);

/* What SQLite said last, as an error: DISK_FULL, STORAGE_CORRUPT, BUSY, CONFLICT (a
   constraint), CANCELLED or STORAGE_FAILED. */
enum errc db_fail(const struct db *db, const char *what, struct err *err);

enum errc db_begin(struct db *db, struct err *err);
enum errc db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);

/* A step of several statements that happens whole or not, inside a transaction or
   without one: db_save, then db_release with how it went so far. */
enum errc db_save(struct db *db, struct err *err);
enum errc db_release(struct db *db, enum errc rc, struct err *err);

/*
 * A statement in use: DB_STMT(st, db, ID) declares st and resets it at the end of the
 * block, so that no read transaction stays open.  A statement is in use once at a time.
 */
#define DB_STMT(name, db, id) \
    __attribute__((cleanup(db_stmt_done))) sqlite3_stmt *name = (db)->stmt[id]
void db_stmt_done(sqlite3_stmt **st);

/* Binding fails only for want of memory (docs/adr/0001) or by a bug: it aborts.  Text
   and bytes are borrowed until the statement is done; a NULL text is NULL. */
void db_bind_int(sqlite3_stmt *st, int at, int64_t value);
void db_bind_double(sqlite3_stmt *st, int at, double value);
void db_bind_blob(sqlite3_stmt *st, int at, const void *bytes, size_t len);
void db_bind_text(sqlite3_stmt *st, int at, const char *text);

enum errc db_step_done(struct db *db, sqlite3_stmt *st, const char *what,
                       struct err *err);
enum errc db_step_row(struct db *db, sqlite3_stmt *st, bool *row, const char *what,
                      struct err *err);
/* Every row of st; stops when row() returns other than ERR_OK.  row() must not use st
   but to read its columns. */
enum errc db_each_row(struct db *db, sqlite3_stmt *st, const char *what,
                      enum errc (*row)(void *arg, sqlite3_stmt *st, struct err *err),
                      void *arg, struct err *err);
/* As db_step_done; STORAGE_CORRUPT unless exactly one row changed. */
enum errc db_step_one(struct db *db, sqlite3_stmt *st, const char *what,
                      struct err *err);

/* Columns of the current row.  The CHECKs of the schema are not believed: a file may
   have rotted.  False unless the blob has len bytes, or the text fits in size with its
   NUL. */
bool db_column_blob(sqlite3_stmt *st, int at, void *out, size_t len);
bool db_column_text(sqlite3_stmt *st, int at, char *out, size_t size);
char *db_column_dup(sqlite3_stmt *st, int at); /* NULL for NULL; the caller's to free */

#endif
