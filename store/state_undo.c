#include <string.h>

#include "store/state_impl.h"
#include "store/undo.h"

static enum errc restore_spent(struct state *s, const struct undo_entry *e,
                               struct state_meta *meta, struct err *err)
{
    meta->tip.coin_count++;
    return e->made_height > 0
               ? state_coins_make(s->db, &e->coin, e->made_height, meta->digest, err)
               : state_coins_unspend(s->db, &e->coin.at, meta->digest, err);
}

/* The row is read for the digest: the undo record only names a made coin. */
static enum errc remove_made(struct state *s, const struct undo_entry *e,
                             struct state_meta *meta, struct err *err)
{
    struct coin coin;
    uint64_t height;
    bool found;
    enum errc rc = state_coins_made(s->db, &e->coin.at, &found, &coin, &height, err);

    if (!rc && (!found || height != meta->tip.height))
        rc =
            err_fail(err, REASON_STORAGE_CORRUPT, "a coin of the tip block is missing");
    if (!rc)
        rc = state_coins_unmake(s->db, &coin, height, meta->digest, err);
    meta->tip.coin_count--;
    return rc;
}

static enum errc take_entries(struct state *s, struct undo_cursor c, bool spent,
                              struct state_meta *meta, struct err *err)
{
    for (;;) {
        struct undo_entry e;
        bool more = false;
        enum errc rc = undo_next(&c, &more, &e, err);

        if (!rc && more && e.spent == spent)
            rc =
                spent ? restore_spent(s, &e, meta, err) : remove_made(s, &e, meta, err);
        if (rc || !more)
            return rc;
    }
}

/* Coins as they were, then meta: the tip below. */
static enum errc take_back(struct state *s, struct state_meta *meta, struct err *err)
{
    DB_STMT(st, &s->db->db, CHAIN_UNDO_GET);
    uint8_t hash[32], supply[16];
    struct undo_cursor c;
    bool row;
    enum errc rc;

    db_bind_int(st, 1, (int64_t)meta->tip.height);
    rc = db_step_row(&s->db->db, st, &row, "read undo record", err);
    if (rc)
        return rc;
    if (!row || !db_column_blob(st, 0, hash, 32) ||
        memcmp(hash, meta->tip.hash, 32) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "no undo record of block %llu",
                        (unsigned long long)meta->tip.height);
    rc = undo_open(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1), &c,
                   err);
    if (!rc) /* a coin may be spent and made again in one block: made ones go first */
        rc = take_entries(s, c, false, meta, err);
    if (!rc)
        rc = take_entries(s, c, true, meta, err);
    if (rc)
        return rc;
    if (!db_column_blob(st, 2, meta->tip.hash, 32) ||
        !db_column_blob(st, 3, meta->tip.work, sizeof(meta->tip.work)) ||
        !db_column_blob(st, 4, supply, sizeof(supply)))
        return err_fail(err, REASON_STORAGE_CORRUPT, "undo record is malformed");
    meta->tip.supply = u128_load(supply);
    meta->tip.height--;
    return ERR_OK;
}

static enum errc drop_record(struct chaindb *db, uint64_t height, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_UNDO_DROP);

    db_bind_int(st, 1, (int64_t)height);
    return db_step_one(&db->db, st, "drop undo record", err);
}

enum errc state_undo(struct state *s, struct err *err)
{
    struct state_meta meta;
    bool found;
    enum errc rc = state_meta_get(s->db, &found, &meta, err);

    if (rc)
        return rc;
    if (!found || meta.tip.height == meta.base_height)
        return err_fail(err, REASON_CONFLICT,
                        "the tip is the base: nothing to take back");
    rc = take_back(s, &meta, err);
    if (!rc)
        rc = drop_record(s->db, meta.tip.height + 1, err);
    if (!rc)
        rc = state_meta_set(s->db, &meta, err);
    if (!rc)
        rc = chaindb_active_cut(s->db, meta.tip.height, err);
    return rc;
}
