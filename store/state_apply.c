#include <string.h>

#include "base/hex.h"
#include "store/state_impl.h"
#include "store/undo.h"

static enum errc unfit(const struct outpoint *at, const char *why, struct err *err)
{
    char txid[65];

    hex_encode(at->txid, 32, txid);
    return err_fail(err, REASON_STORAGE_CORRUPT, "coin %s:%u %s", txid, at->vout, why);
}

/* The rules found the coin by this state, so it can only be missing if the state rotted
   or was changed in between. */
static enum errc spend(struct state *s, const struct state_block *b,
                       const struct coin *coin, struct state_meta *meta,
                       struct buf *undo, struct err *err)
{
    struct undo_entry e = {.spent = true};
    bool found;
    enum errc rc = state_find(s, &coin->at, &found, &e.coin, &e.made_height, err);

    if (rc)
        return rc;
    if (!found)
        return unfit(&coin->at, "is to be spent and is not there", err);
    if (e.coin.amount != coin->amount || strcmp(e.coin.address, coin->address) != 0)
        return unfit(&coin->at, "is to be spent and is another one", err);
    rc = e.made_height > 0
             ? state_coins_unmake(s->db, &e.coin, e.made_height, meta->digest, err)
             : state_coins_spend(s->db, &coin->at, b->height, meta->digest, err);
    if (!rc)
        rc = undo_put(undo, &e, err);
    meta->tip.coin_count--;
    return rc;
}

static enum errc make(struct state *s, const struct state_block *b,
                      const struct coin *coin, struct state_meta *meta,
                      struct buf *undo, struct err *err)
{
    struct undo_entry e = {.coin = *coin};
    struct coin old;
    uint64_t old_height;
    bool found;
    enum errc rc = state_find(s, &coin->at, &found, &old, &old_height, err);

    if (rc)
        return rc;
    if (found)
        return unfit(&coin->at, "is to be made and is there already", err);
    rc = state_coins_make(s->db, coin, b->height, meta->digest, err);
    if (!rc)
        rc = undo_put(undo, &e, err);
    meta->tip.coin_count++;
    return rc;
}

static enum errc put_undo(struct state *s, const struct state_block *b,
                          const struct state_tip *prev, const struct buf *coins,
                          struct err *err)
{
    DB_STMT(st, &s->db->db, CHAIN_UNDO_PUT);
    uint8_t supply[16];

    u128_store(prev->supply, supply);
    db_bind_int(st, 1, (int64_t)b->height);
    db_bind_blob(st, 2, b->hash, 32);
    db_bind_blob(st, 3, coins->data, coins->len);
    db_bind_blob(st, 4, prev->hash, 32);
    db_bind_blob(st, 5, prev->work, sizeof(prev->work));
    db_bind_blob(st, 6, supply, sizeof(supply));
    return db_step_done(&s->db->db, st, "store undo record", err);
}

static enum errc change_coins(struct state *s, const struct state_block *b,
                              struct state_meta *meta, struct buf *undo,
                              struct err *err)
{
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < b->spent_count && !rc; i++)
        rc = spend(s, b, &b->spent[i], meta, undo, err);
    for (size_t i = 0; i < b->made_count && !rc; i++)
        rc = make(s, b, &b->made[i], meta, undo, err);
    if (!rc)
        rc = undo_seal(undo, err);
    return rc;
}

enum errc state_apply(struct state *s, const struct state_block *b, struct err *err)
{
    CLEANUP_BUF struct buf undo = BUF(UNDO_BYTES_MAX);
    struct state_meta meta;
    struct state_tip prev;
    bool found;
    enum errc rc = state_meta_get(s->db, &found, &meta, err);

    if (rc)
        return rc;
    if (!found || b->height != meta.tip.height + 1 ||
        memcmp(b->prev, meta.tip.hash, 32) != 0)
        return err_fail(err, REASON_CONFLICT, "block %llu does not stand on the tip",
                        (unsigned long long)b->height);
    prev = meta.tip;
    rc = change_coins(s, b, &meta, &undo, err);
    if (!rc)
        rc = put_undo(s, b, &prev, &undo, err);
    meta.tip.height = b->height;
    memcpy(meta.tip.hash, b->hash, 32);
    memcpy(meta.tip.work, b->work, sizeof(b->work));
    meta.tip.supply = b->supply;
    if (!rc)
        rc = state_meta_set(s->db, &meta, err);
    if (!rc)
        rc = chaindb_active_set(s->db, b->height, b->hash, err);
    return rc;
}
