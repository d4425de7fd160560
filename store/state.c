#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/state_impl.h"

static enum errc refuse_blocks(struct chaindb *db, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_BLOCKS_ANY);
    bool row;
    enum errc rc = db_step_row(&db->db, st, &row, "read coins", err);

    if (!rc && row && sqlite3_column_int(st, 0) != 0)
        return err_fail(err, REASON_CONFLICT, "chain.db has blocks on a base already");
    return rc;
}

enum errc state_init(struct chaindb *db, const struct coinfile_info *base,
                     const uint8_t work[40], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_STATE_INIT);
    uint8_t supply[16];
    enum errc rc = refuse_blocks(db, err);

    if (rc)
        return rc;
    if (base->id.height > INT64_MAX)
        return err_set(err, ERR_INVALID, "base height of a state");
    u128_store(base->total, supply);
    db_bind_int(st, 1, (int64_t)base->id.height);
    db_bind_blob(st, 2, base->id.block_hash, 32);
    db_bind_blob(st, 3, base->state_root, 32);
    db_bind_blob(st, 4, work, 40);
    db_bind_blob(st, 5, supply, sizeof(supply));
    db_bind_int(st, 6, (int64_t)base->coin_count);
    rc = db_step_done(&db->db, st, "begin state", err);
    if (!rc)
        rc = chaindb_active_set(db, base->id.height, base->id.block_hash, err);
    return rc;
}

static enum errc open_base(const char *dir, const struct state_meta *meta,
                           struct coinfile **out, struct err *err)
{
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    AUTOFREE char *path = xasprintf("%s/base.coins", dir);
    AUTOFREE char *idx = xasprintf("%s/base.idx", dir);
    enum errc rc = coinfile_open(path, idx, meta->base_root, &f, err);
    const struct coinfile_info *info;

    if (rc)
        return rc;
    info = coinfile_info(f);
    if (info->id.height != meta->base_height ||
        memcmp(info->id.block_hash, meta->base_hash, 32) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "%s is of another block than chain.db", path);
    *out = TAKE(f);
    return ERR_OK;
}

enum errc state_open(const char *dir, struct chaindb *db, struct state **out,
                     struct err *err)
{
    CLEANUP(state_close) struct state *s = xcalloc(1, sizeof(*s));
    struct state_meta meta;
    bool found;
    enum errc rc = state_meta_get(db, &found, &meta, err);

    if (!rc && !found)
        rc = err_fail(err, REASON_NOT_FOUND, "no state was begun in %s", dir);
    if (!rc)
        rc = open_base(dir, &meta, &s->base, err);
    if (rc)
        return rc;
    s->db = db;
    *out = TAKE(s);
    return ERR_OK;
}

void state_close(struct state *s)
{
    if (!s)
        return;
    coinfile_close(s->base);
    free(s);
}

const struct coinfile_info *state_base(const struct state *s)
{
    return coinfile_info(s->base);
}

enum errc state_get_tip(struct state *s, struct state_tip *out, struct err *err)
{
    struct state_meta meta;
    bool found;
    enum errc rc = state_meta_get(s->db, &found, &meta, err);

    if (!rc && !found)
        rc = err_fail(err, REASON_STORAGE_CORRUPT, "the state is gone from chain.db");
    if (!rc)
        *out = meta.tip;
    return rc;
}

enum errc state_find(struct state *s, const struct outpoint *at, bool *found,
                     struct coin *out, uint64_t *made_height, struct err *err)
{
    struct coin coin;
    uint64_t height = 0;
    bool made, spent = false, in_base = false;
    enum errc rc = state_coins_made(s->db, at, &made, &coin, &height, err);

    if (!rc && !made)
        rc = state_coins_spent(s->db, at, &spent, err);
    if (!rc && !made && !spent)
        rc = coinfile_find(s->base, at, &in_base, &coin, err);
    if (rc)
        return rc;
    *found = made || in_base;
    if (*found) {
        *out = coin;
        *made_height = height;
    }
    return ERR_OK;
}
