#include <math.h>
#include <string.h>

#include "store/chain_stmt.h"

enum errc chaindb_header_put(struct chaindb *db, const struct chaindb_header *h,
                             bool *added, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_HEADER_PUT);

    if (h->height > INT64_MAX || !isfinite(h->timestamp))
        return err_set(err, ERR_INVALID, "header's height or time is none to store");
    db_bind_blob(st, 1, h->hash, 32);
    db_bind_blob(st, 2, h->prev, 32);
    db_bind_blob(st, 3, h->merkle_root, 32);
    db_bind_int(st, 4, (int64_t)h->height);
    db_bind_double(st, 5, h->timestamp);
    db_bind_int(st, 6, h->difficulty);
    db_bind_int(st, 7, (int64_t)h->nonce);
    if (h->has_version) /* else unbound: NULL */
        db_bind_int(st, 8, (int64_t)h->version);
    db_bind_text(st, 9, h->signature);
    db_bind_text(st, 10, h->miner_pubkey);
    db_bind_int(st, 11, h->status);
    db_bind_blob(st, 12, h->work, sizeof(h->work));
    if (db_step_done(&db->db, st, "store header", err))
        return err->code;
    *added = sqlite3_changes(db->db.handle) > 0;
    return ERR_OK;
}

/* The columns are HEADER_COLUMNS of chain_stmt.def. */
static bool read_header(sqlite3_stmt *st, struct chaindb_header *h)
{
    int64_t status = sqlite3_column_int64(st, 10);

    *h = (struct chaindb_header){
        .height = (uint64_t)sqlite3_column_int64(st, 3),
        .timestamp = sqlite3_column_double(st, 4),
        .difficulty = (uint32_t)sqlite3_column_int64(st, 5),
        .nonce = (uint64_t)sqlite3_column_int64(st, 6),
        .version = (uint64_t)sqlite3_column_int64(st, 7),
        .has_version = sqlite3_column_type(st, 7) != SQLITE_NULL,
        .has_body = sqlite3_column_int64(st, 13) != 0,
        .status = (enum chaindb_header_status)status,
        .added = (uint64_t)sqlite3_column_int64(st, 12),
    };
    return status >= CHAINDB_ANCHORED && status <= CHAINDB_INVALID &&
           db_column_blob(st, 0, h->hash, 32) && db_column_blob(st, 1, h->prev, 32) &&
           db_column_blob(st, 2, h->merkle_root, 32) &&
           db_column_text(st, 8, h->signature, sizeof(h->signature)) &&
           db_column_text(st, 9, h->miner_pubkey, sizeof(h->miner_pubkey)) &&
           db_column_blob(st, 11, h->work, sizeof(h->work));
}

static enum errc get_header(struct chaindb *db, sqlite3_stmt *st, bool *found,
                            struct chaindb_header *out, struct err *err)
{
    struct chaindb_header h;
    bool row;
    enum errc rc = db_step_row(&db->db, st, &row, "read header", err);

    if (rc)
        return rc;
    if (row) {
        if (!read_header(st, &h))
            return err_fail(err, REASON_STORAGE_CORRUPT, "stored header is malformed");
        *out = h;
    }
    *found = row;
    return ERR_OK;
}

enum errc chaindb_header_get(struct chaindb *db, const uint8_t hash[32], bool *found,
                             struct chaindb_header *out, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_HEADER_GET);

    db_bind_blob(st, 1, hash, 32);
    return get_header(db, st, found, out, err);
}

enum errc chaindb_header_best(struct chaindb *db, bool *found,
                              struct chaindb_header *out, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_HEADER_BEST);

    return get_header(db, st, found, out, err);
}

enum errc chaindb_active_at(struct chaindb *db, uint64_t height, bool *found,
                            struct chaindb_header *out, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_ACTIVE_AT);

    if (height > INT64_MAX) {
        *found = false;
        return ERR_OK;
    }
    db_bind_int(st, 1, (int64_t)height);
    return get_header(db, st, found, out, err);
}

struct active_walk {
    enum errc (*each)(void *arg, const struct chaindb_header *h, struct err *err);
    void *arg;
};

static enum errc give_header(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct active_walk *w = arg;
    struct chaindb_header h;

    if (!read_header(st, &h))
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored header is malformed");
    return w->each(w->arg, &h, err);
}

enum errc chaindb_active_each(struct chaindb *db, uint64_t from, size_t limit,
                              enum errc (*each)(void *arg,
                                                const struct chaindb_header *h,
                                                struct err *err),
                              void *arg, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_ACTIVE_EACH);
    struct active_walk w = {each, arg};

    if (from > INT64_MAX)
        return ERR_OK;
    db_bind_int(st, 1, (int64_t)from);
    db_bind_int(st, 2, (int64_t)limit);
    return db_each_row(&db->db, st, "read headers", give_header, &w, err);
}

enum errc chaindb_active_first(struct chaindb *db, bool *found, uint64_t *height,
                               struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_ACTIVE_FIRST);
    bool row;
    enum errc rc = db_step_row(&db->db, st, &row, "read active chain", err);

    if (rc)
        return rc;
    if (row)
        *height = (uint64_t)sqlite3_column_int64(st, 0);
    *found = row;
    return ERR_OK;
}

enum errc chaindb_header_mark(struct chaindb *db, const uint8_t hash[32],
                              enum chaindb_header_status status, const uint8_t work[40],
                              const char *reason, struct err *err)
{
    static const uint8_t no_work[40];
    DB_STMT(st, &db->db, CHAIN_HEADER_MARK);
    enum errc rc;

    db_bind_blob(st, 1, hash, 32);
    db_bind_int(st, 2, status);
    db_bind_blob(st, 3, status == CHAINDB_VALID ? work : no_work, sizeof(no_work));
    db_bind_text(st, 4, status == CHAINDB_INVALID ? reason : NULL);
    rc = db_step_done(&db->db, st, "mark header", err);
    if (!rc && sqlite3_changes(db->db.handle) == 0)
        return err_set(err, ERR_NOTFOUND, "no such header");
    return rc;
}

enum errc chaindb_header_mark_descendants(struct chaindb *db, const uint8_t hash[32],
                                          const char *reason, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_HEADER_MARK_DESCENDANTS);
    DB_STMT(body, &db->db, CHAIN_BODY_DROP_INVALID);

    db_bind_blob(st, 1, hash, 32);
    db_bind_text(st, 2, reason);
    if (db_step_done(&db->db, st, "mark headers", err))
        return err->code;
    db_bind_blob(body, 1, hash, 32);
    return db_step_done(&db->db, body, "drop blocks", err);
}
