#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/coinrec.h"
#include "store/extsort.h"
#include "store/state_at.h"
#include "store/state_impl.h"
#include "store/undo.h"

enum { SORT_MEMORY = 8 << 20 };

/*
 * What the blocks above did to an outpoint, as sorted: the coin file's record of a coin
 * that was spent, or the key alone of one that was made.  Records go in by ascending
 * height and equal keys keep their order, so the first of a key is what was done to it
 * first, and tells how it was before.
 */
struct state_at {
    struct state *s;
    struct extsort *sort;
    struct state_tip tip;
    /* the next outpoint that was changed, and what was done to it first */
    bool has_key;
    uint8_t key[COINREC_KEY];
    const uint8_t *record;
    size_t len;
    /* of the scan */
    enum errc (*each)(void *arg, const struct coin *coin, struct err *err);
    void *arg;
    uint64_t count;
    u128 sum;
};

static int compare_keys(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    (void)a_len;
    (void)b_len;
    return memcmp(a, b, COINREC_KEY);
}

void state_at_close(struct state_at *at)
{
    if (!at)
        return;
    extsort_free(at->sort);
    free(at);
}

void state_at_tip(const struct state_at *at, struct state_tip *out)
{
    *out = at->tip;
}

/* --- the undo records, upwards --- */

static enum errc unsound(uint64_t height, const char *what, struct err *err)
{
    return err_fail(err, REASON_STORAGE_CORRUPT, "undo record of block %" PRIu64 " %s",
                    height, what);
}

static enum errc add_entry(struct state_at *at, const struct undo_entry *e,
                           struct err *err)
{
    uint8_t record[COINREC_MAX];
    size_t len = COINREC_KEY;
    u128 atto;

    coinrec_key(&e->coin.at, record);
    if (e->spent && coinrec_encode(&e->coin, record, &len, &atto, err))
        return err->code;
    at->tip.coin_count += e->spent ? 1 : 0;
    at->tip.coin_count -= e->spent ? 0 : 1;
    return extsort_add(at->sort, record, len, err);
}

/* In a record what is spent comes before what is made, as in a block. */
static enum errc add_entries(struct state_at *at, sqlite3_stmt *st, struct err *err)
{
    struct undo_cursor c;
    struct undo_entry e;
    bool more = true;
    enum errc rc = undo_open(sqlite3_column_blob(st, 2),
                             (size_t)sqlite3_column_bytes(st, 2), &c, err);

    while (!rc && more) {
        rc = undo_next(&c, &more, &e, err);
        if (!rc && more)
            rc = add_entry(at, &e, err);
    }
    return rc;
}

struct climb {
    struct state_at *at;
    uint64_t height;  /* of the record last read, or the height asked for */
    uint8_t hash[32]; /* of its block; unset before the first */
};

/* The lowest record tells the tip before it. */
static bool read_tip(struct state_at *at, sqlite3_stmt *st)
{
    uint8_t supply[16];

    if (!db_column_blob(st, 3, at->tip.hash, 32) ||
        !db_column_blob(st, 4, at->tip.work, sizeof(at->tip.work)) ||
        !db_column_blob(st, 5, supply, sizeof(supply)))
        return false;
    at->tip.supply = u128_load(supply);
    return true;
}

static enum errc add_record(void *arg, sqlite3_stmt *st, struct err *err)
{
    struct climb *c = arg;
    struct state_at *at = c->at;
    uint64_t height = (uint64_t)sqlite3_column_int64(st, 0);
    uint8_t prev[32];

    if (height != c->height + 1)
        return unsound(c->height + 1, "is missing", err);
    if (c->height == at->tip.height) {
        if (!read_tip(at, st))
            return unsound(height, "is malformed", err);
    } else if (!db_column_blob(st, 3, prev, 32) || memcmp(prev, c->hash, 32) != 0) {
        return unsound(height, "does not stand on the one below", err);
    }
    if (!db_column_blob(st, 1, c->hash, 32))
        return unsound(height, "is malformed", err);
    c->height = height;
    return add_entries(at, st, err);
}

static enum errc read_records(struct state_at *at, uint64_t height,
                              const struct state_tip *top, struct err *err)
{
    DB_STMT(st, &at->s->db->db, CHAIN_UNDO_EACH);
    struct climb c = {.at = at, .height = height};
    enum errc rc;

    at->tip = *top;
    at->tip.height = height;
    db_bind_int(st, 1, (int64_t)height);
    rc = db_each_row(&at->s->db->db, st, "read undo records", add_record, &c, err);
    if (!rc && c.height != top->height)
        rc = unsound(c.height + 1, "is missing", err);
    if (!rc && height < top->height && memcmp(c.hash, top->hash, 32) != 0)
        rc = unsound(c.height, "is not of the tip", err);
    return rc;
}

/* --- merged with the coins as they are --- */

/* To the next outpoint; what else was done to the one before is passed over. */
static enum errc next_change(struct state_at *at, struct err *err)
{
    do {
        if (extsort_next(at->sort, &at->record, &at->len, err))
            return err->code;
    } while (at->record && at->has_key &&
             memcmp(at->record, at->key, COINREC_KEY) == 0);
    at->has_key = at->record != NULL;
    if (at->has_key)
        memcpy(at->key, at->record, COINREC_KEY);
    return ERR_OK;
}

static enum errc give(struct state_at *at, const struct coin *coin, struct err *err)
{
    u128 atto;

    if (!u128_from_amount(coin->amount, &atto))
        return err_fail(err, REASON_STORAGE_CORRUPT, "a stored coin has no amount");
    at->count++;
    at->sum += atto;
    return at->each(at->arg, coin, err);
}

/* The changed outpoint at hand as it was before: given if it was spent since. */
static enum errc give_changed(struct state_at *at, struct err *err)
{
    struct coin coin;
    enum errc rc = ERR_OK;

    if (at->len > COINREC_KEY) {
        coinrec_decode(at->record, &coin);
        rc = give(at, &coin, err);
    }
    return rc ? rc : next_change(at, err);
}

static enum errc take(void *arg, const struct coin *coin, struct err *err)
{
    struct state_at *at = arg;
    uint8_t key[COINREC_KEY];
    enum errc rc = ERR_OK;

    coinrec_key(&coin->at, key);
    while (!rc && at->has_key && memcmp(at->key, key, COINREC_KEY) < 0)
        rc = give_changed(at, err);
    if (rc)
        return rc;
    if (at->has_key && memcmp(at->key, key, COINREC_KEY) == 0)
        return give_changed(at, err);
    return give(at, coin, err);
}

enum errc state_at_scan(struct state_at *at,
                        enum errc (*each)(void *arg, const struct coin *coin,
                                          struct err *err),
                        void *arg, struct err *err)
{
    enum errc rc;

    at->each = each;
    at->arg = arg;
    rc = state_scan(at->s, take, at, err);
    while (!rc && at->has_key)
        rc = give_changed(at, err);
    if (!rc && (at->count != at->tip.coin_count || at->sum != at->tip.supply))
        rc = err_fail(err, REASON_STORAGE_CORRUPT,
                      "the coins at height %" PRIu64 " are not as many as there were",
                      at->tip.height);
    return rc;
}

/* --- opening --- */

static enum errc check_height(struct state *s, uint64_t height,
                              const struct state_tip *top, struct err *err)
{
    uint64_t base = state_base(s)->id.height;

    if (height >= base && height <= top->height)
        return ERR_OK;
    return err_fail(err, REASON_NOT_FOUND,
                    "the state at height %" PRIu64 " is not here: it reaches from "
                    "%" PRIu64 " to %" PRIu64,
                    height, base, top->height);
}

enum errc state_at_open(struct state *s, uint64_t height, const char *tmp_dir,
                        struct state_at **out, struct err *err)
{
    const struct extsort_options opt = {.dir = tmp_dir,
                                        .memory_bytes = SORT_MEMORY,
                                        .record_max = COINREC_MAX,
                                        .first_bytes = true,
                                        .compare = compare_keys};
    CLEANUP(state_at_close) struct state_at *at = xcalloc(1, sizeof(*at));
    struct state_tip top;

    at->s = s;
    if (state_get_tip(s, &top, err) || check_height(s, height, &top, err) ||
        extsort_create(&opt, &at->sort, err) || read_records(at, height, &top, err) ||
        extsort_finish(at->sort, err) || next_change(at, err))
        return err->code;
    *out = TAKE(at);
    return ERR_OK;
}
