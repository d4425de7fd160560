#include <string.h>

#include "store/state_impl.h"

static enum errc fold_made(void *digest, sqlite3_stmt *st, struct err *err)
{
    struct coin coin;
    uint64_t height;
    enum errc rc = state_coins_read_made(st, &coin, &height, err);

    if (!rc)
        state_coins_fold_made(&coin, height, digest);
    return rc;
}

static enum errc fold_spent(void *digest, sqlite3_stmt *st, struct err *err)
{
    struct outpoint at;
    enum errc rc = state_coins_read_spent(st, &at, err);

    if (!rc)
        state_coins_fold_spent(&at, digest);
    return rc;
}

static enum errc fold_all(struct db *db, uint8_t digest[32], struct err *err)
{
    DB_STMT(made, db, CHAIN_MADE_EACH);
    DB_STMT(spent, db, CHAIN_SPENT_EACH);
    enum errc rc = db_each_row(db, made, "read coins", fold_made, digest, err);

    if (!rc)
        rc = db_each_row(db, spent, "read spent coins", fold_spent, digest, err);
    return rc;
}

enum errc state_verify(struct state *s, struct err *err)
{
    uint8_t digest[32] = {0};
    struct state_meta meta;
    bool found;
    enum errc rc = state_meta_get(s->db, &found, &meta, err);

    if (!rc)
        rc = fold_all(&s->db->db, digest, err);
    if (!rc && (!found || memcmp(digest, meta.digest, sizeof(digest)) != 0))
        rc = err_fail(
            err, REASON_STORAGE_CORRUPT,
            "chain.db: the coins made and spent are not those that were stored");
    return rc;
}
