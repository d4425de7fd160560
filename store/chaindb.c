#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/chain_stmt.h"
#include "store/schema.h"

static const char *const stmt_sql[CHAIN_STMT_COUNT] = {
#define STMT(name, sql) [CHAIN_##name] = (sql),
#include "store/chain_stmt.def"
#undef STMT
};

enum errc chaindb_open(const char *path, enum chaindb_mode mode, struct chaindb **out,
                       struct err *err)
{
    CLEANUP(chaindb_close) struct chaindb *c = xcalloc(1, sizeof(*c));
    const struct db_options opt = {
        .path = path,
        .writer = mode == CHAINDB_WRITER,
        .migrations = schema_chain,
        .migration_count = schema_chain_count,
        .sql = stmt_sql,
        .sql_count = CHAIN_STMT_COUNT,
    };
    enum errc rc = db_open(&c->db, &opt, err);

    if (rc)
        return rc;
    *out = TAKE(c);
    return ERR_OK;
}

void chaindb_stop_when(struct chaindb *db, atomic_bool *cancel)
{
    db_stop_when(&db->db, cancel);
}

enum errc chaindb_check(struct chaindb *db, struct err *err)
{
    return db_check(&db->db, err) ? err_wrap(err, "chain.db") : ERR_OK;
}

void chaindb_close(struct chaindb *db)
{
    if (!db)
        return;
    db_close(&db->db);
    free(db);
}

enum errc chaindb_begin(struct chaindb *db, struct err *err)
{
    return db_begin(&db->db, err);
}

enum errc chaindb_commit(struct chaindb *db, struct err *err)
{
    return db_commit(&db->db, err);
}

void chaindb_rollback(struct chaindb *db)
{
    db_rollback(&db->db);
}

enum errc chaindb_active_set(struct chaindb *db, uint64_t height,
                             const uint8_t hash[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_ACTIVE_SET);

    db_bind_int(st, 1, (int64_t)height);
    db_bind_blob(st, 2, hash, 32);
    return db_step_done(&db->db, st, "set active block", err);
}

enum errc chaindb_active_cut(struct chaindb *db, uint64_t above, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_ACTIVE_CUT);

    db_bind_int(st, 1, (int64_t)above);
    return db_step_done(&db->db, st, "cut active chain", err);
}

enum errc chaindb_body_put(struct chaindb *db, const uint8_t hash[32], const char *text,
                           size_t len, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_BODY_PUT);
    uint8_t sum[32];

    hash_sha256(text, len, sum);
    db_bind_blob(st, 1, hash, 32);
    db_bind_blob(st, 2, text, len);
    db_bind_blob(st, 3, sum, sizeof(sum));
    return db_step_done(&db->db, st, "store block", err);
}

/* A blob whose SHA-256 is in the next column; borrowed from the row. */
static enum errc read_summed(sqlite3_stmt *st, int at, const char *what,
                             const void **blob, size_t *len, struct err *err)
{
    const void *bytes = sqlite3_column_blob(st, at);
    size_t n = (size_t)sqlite3_column_bytes(st, at);
    uint8_t sum[32], want[32];

    if (!bytes)
        bytes = ""; /* so SQLite gives an empty blob */
    hash_sha256(bytes, n, sum);
    if (!db_column_blob(st, at + 1, want, 32) || memcmp(sum, want, sizeof(sum)) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "%s lost its hash", what);
    *blob = bytes;
    *len = n;
    return ERR_OK;
}

enum errc chaindb_body_get(struct chaindb *db, const uint8_t hash[32], bool *found,
                           struct buf *out, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_BODY_GET);
    const void *text = NULL;
    size_t len = 0;
    bool row;
    enum errc rc;

    db_bind_blob(st, 1, hash, 32);
    rc = db_step_row(&db->db, st, &row, "read block", err);
    if (!rc && row)
        rc = read_summed(st, 0, "stored block", &text, &len, err);
    if (rc)
        return rc;
    if (row)
        buf_put(out, text, len);
    if (out->full)
        return err_fail(err, REASON_STORAGE_FAILED,
                        "stored block of %zu bytes is over the limit", len);
    *found = row;
    return ERR_OK;
}

enum errc chaindb_body_drop(struct chaindb *db, const uint8_t hash[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_BODY_DROP);

    db_bind_blob(st, 1, hash, 32);
    return db_step_done(&db->db, st, "drop block", err);
}

enum errc chaindb_proof_put(struct chaindb *db, uint64_t height, const void *blob,
                            size_t len, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_PROOF_PUT);
    uint8_t sum[32];

    hash_sha256(blob, len, sum);
    db_bind_int(st, 1, (int64_t)height);
    db_bind_blob(st, 2, blob, len);
    db_bind_blob(st, 3, sum, sizeof(sum));
    return db_step_done(&db->db, st, "store proof", err);
}

struct proof_walk {
    enum errc (*each)(void *arg, uint64_t height, const void *blob, size_t len,
                      struct err *err);
    void *arg;
};

static enum errc give_proof(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct proof_walk *w = arg;
    const void *blob = NULL;
    size_t len = 0;
    enum errc rc = read_summed(st, 1, "stored proof", &blob, &len, err);

    return rc ? rc
              : w->each(w->arg, (uint64_t)sqlite3_column_int64(st, 0), blob, len, err);
}

enum errc chaindb_proof_each(struct chaindb *db,
                             enum errc (*each)(void *arg, uint64_t height,
                                               const void *blob, size_t len,
                                               struct err *err),
                             void *arg, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_PROOF_EACH);
    struct proof_walk w = {.each = each, .arg = arg};

    return db_each_row(&db->db, st, "read proofs", give_proof, &w, err);
}

enum errc chaindb_proof_count(struct chaindb *db, uint64_t height, uint64_t *count,
                              struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_PROOF_COUNT);
    bool row;

    db_bind_int(st, 1, (int64_t)height);
    if (db_step_row(&db->db, st, &row, "count proofs", err))
        return err->code;
    *count = (uint64_t)sqlite3_column_int64(st, 0);
    return ERR_OK;
}

enum errc chaindb_proof_drop(struct chaindb *db, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_PROOF_DROP);

    return db_step_done(&db->db, st, "drop proofs", err);
}
