#include <string.h>

#include "store/state_impl.h"

static enum errc fold_made(struct chaindb *db, uint8_t digest[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_MADE_EACH);

    for (;;) {
        struct coin coin;
        uint64_t height;
        bool row;
        enum errc rc = db_step_row(&db->db, st, &row, "read coins", err);

        if (!rc && row)
            rc = state_coins_read_made(st, &coin, &height, err);
        if (rc || !row)
            return rc;
        state_coins_fold_made(&coin, height, digest);
    }
}

static enum errc fold_spent(struct chaindb *db, uint8_t digest[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_SPENT_EACH);

    for (;;) {
        struct outpoint at;
        bool row;
        enum errc rc = db_step_row(&db->db, st, &row, "read spent coins", err);

        if (!rc && row)
            rc = state_coins_read_spent(st, &at, err);
        if (rc || !row)
            return rc;
        state_coins_fold_spent(&at, digest);
    }
}

enum errc state_verify(struct state *s, struct err *err)
{
    uint8_t digest[32] = {0};
    struct state_meta meta;
    bool found;
    enum errc rc = state_meta_get(s->db, &found, &meta, err);

    if (!rc)
        rc = fold_made(s->db, digest, err);
    if (!rc)
        rc = fold_spent(s->db, digest, err);
    if (!rc && (!found || memcmp(digest, meta.digest, sizeof(digest)) != 0))
        rc = err_fail(
            err, REASON_STORAGE_CORRUPT,
            "chain.db: the coins made and spent are not those that were stored");
    return rc;
}
