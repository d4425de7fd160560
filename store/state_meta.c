#include "store/state_impl.h"

enum errc state_meta_get(struct chaindb *db, bool *found, struct state_meta *out,
                         struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_STATE_GET);
    struct state_meta m;
    uint8_t supply[16];
    bool row;
    enum errc rc = db_step_row(&db->db, st, &row, "read state", err);

    if (rc)
        return rc;
    *found = row;
    if (!row)
        return ERR_OK;
    m.base_height = (uint64_t)sqlite3_column_int64(st, 0);
    m.tip.height = (uint64_t)sqlite3_column_int64(st, 3);
    m.tip.coin_count = (uint64_t)sqlite3_column_int64(st, 7);
    if (!db_column_blob(st, 1, m.base_hash, 32) ||
        !db_column_blob(st, 2, m.base_root, 32) ||
        !db_column_blob(st, 4, m.tip.hash, 32) ||
        !db_column_blob(st, 5, m.tip.work, sizeof(m.tip.work)) ||
        !db_column_blob(st, 6, supply, sizeof(supply)) ||
        !db_column_blob(st, 8, m.digest, 32) || m.base_height > m.tip.height)
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored state is malformed");
    m.tip.supply = u128_load(supply);
    *out = m;
    return ERR_OK;
}

enum errc state_meta_set(struct chaindb *db, const struct state_meta *meta,
                         struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_STATE_SET);
    uint8_t supply[16];

    u128_store(meta->tip.supply, supply);
    db_bind_int(st, 1, (int64_t)meta->tip.height);
    db_bind_blob(st, 2, meta->tip.hash, 32);
    db_bind_blob(st, 3, meta->tip.work, sizeof(meta->tip.work));
    db_bind_blob(st, 4, supply, sizeof(supply));
    db_bind_int(st, 5, (int64_t)meta->tip.coin_count);
    db_bind_blob(st, 6, meta->digest, 32);
    return db_step_one(&db->db, st, "move the tip", err);
}
