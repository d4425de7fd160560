#include <string.h>

#include "store/chain_stmt.h"

struct batch {
    struct chaindb_anchored *rows;
    size_t n;
};

static enum errc collect(void *arg, sqlite3_stmt *st, struct err *err)
{
    struct batch *b = arg;
    struct chaindb_anchored *row = &b->rows[b->n];

    row->added = sqlite3_column_int64(st, 0);
    if (!db_column_blob(st, 1, row->hash, 32))
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored header is malformed");
    b->n++;
    return ERR_OK;
}

enum errc chaindb_anchored_list(struct chaindb *db, int64_t after,
                                struct chaindb_anchored *rows, size_t limit, size_t *n,
                                struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_ANCHORED_EACH);
    struct batch b = {.rows = rows};

    db_bind_int(st, 1, after);
    db_bind_int(st, 2, (int64_t)limit);
    if (db_each_row(&db->db, st, "list headers", collect, &b, err))
        return err->code;
    *n = b.n;
    return ERR_OK;
}

enum errc chaindb_anchored_drop(struct chaindb *db, const uint8_t hash[32],
                                struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_ANCHORED_DROP);

    db_bind_blob(st, 1, hash, 32);
    if (db_step_done(&db->db, st, "drop header", err))
        return err->code;
    return sqlite3_changes(db->db.handle) > 0 ? chaindb_body_drop(db, hash, err)
                                              : ERR_OK;
}

enum errc chaindb_invalid_drop(struct chaindb *db, size_t keep, size_t limit,
                               size_t *dropped, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_INVALID_DROP);

    db_bind_int(st, 1, (int64_t)keep);
    db_bind_int(st, 2, (int64_t)limit);
    if (db_step_done(&db->db, st, "drop headers", err))
        return err->code;
    *dropped = (size_t)sqlite3_changes(db->db.handle);
    return ERR_OK;
}

/* --- branches --- */

enum errc chaindb_branch_put(struct chaindb *db, const uint8_t hash[32],
                             uint64_t headers, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_BRANCH_PUT);

    db_bind_blob(st, 1, hash, 32);
    db_bind_int(st, 2, (int64_t)headers);
    return db_step_done(&db->db, st, "note branch", err);
}

enum errc chaindb_branch_oldest(struct chaindb *db, bool *found, uint8_t hash[32],
                                uint64_t *headers, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_BRANCH_OLDEST);
    bool row;

    if (db_step_row(&db->db, st, &row, "read branch", err))
        return err->code;
    if (row && !db_column_blob(st, 0, hash, 32))
        return err_fail(err, REASON_STORAGE_CORRUPT, "noted branch is malformed");
    if (row)
        *headers = (uint64_t)sqlite3_column_int64(st, 1);
    *found = row;
    return ERR_OK;
}

enum errc chaindb_branch_move(struct chaindb *db, const uint8_t from[32],
                              const uint8_t to[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_BRANCH_MOVE);

    db_bind_blob(st, 1, from, 32);
    db_bind_blob(st, 2, to, 32);
    return db_step_done(&db->db, st, "move branch", err);
}

enum errc chaindb_branch_drop(struct chaindb *db, const uint8_t hash[32],
                              struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_BRANCH_DROP);

    db_bind_blob(st, 1, hash, 32);
    return db_step_done(&db->db, st, "drop branch", err);
}

enum errc chaindb_leaf_drop(struct chaindb *db, const uint8_t hash[32], bool *dropped,
                            struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_LEAF_DROP);

    db_bind_blob(st, 1, hash, 32);
    if (db_step_done(&db->db, st, "drop header", err))
        return err->code;
    *dropped = sqlite3_changes(db->db.handle) > 0;
    return *dropped ? chaindb_body_drop(db, hash, err) : ERR_OK;
}
