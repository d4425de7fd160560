#ifndef STORE_STATE_IMPL_H
#define STORE_STATE_IMPL_H

#include "store/chain_stmt.h"
#include "store/state.h"

/* The inside of struct state, for state*.c. */
struct state {
    struct chaindb *db;
    struct coinfile *base;
};

/* The row of table state.  digest: XOR of the folds of
   all rows of coin_made and coin_spent: SQLite has no checksums. */
struct state_meta {
    struct state_tip tip;
    uint64_t base_height;
    uint8_t base_hash[32], base_root[32];
    uint8_t digest[32];
};
enum errc state_meta_get(struct chaindb *db, bool *found, struct state_meta *out,
                         struct err *err);
/* The tip and the digest. */
enum errc state_meta_set(struct chaindb *db, const struct state_meta *meta,
                         struct err *err);

/* coin_made and coin_spent, each change folded into digest. */
enum errc state_coins_make(struct chaindb *db, const struct coin *coin, uint64_t height,
                           uint8_t digest[32], struct err *err);
enum errc state_coins_unmake(struct chaindb *db, const struct coin *coin,
                             uint64_t height, uint8_t digest[32], struct err *err);
enum errc state_coins_spend(struct chaindb *db, const struct outpoint *at,
                            uint64_t height, uint8_t digest[32], struct err *err);
enum errc state_coins_unspend(struct chaindb *db, const struct outpoint *at,
                              uint8_t digest[32], struct err *err);
enum errc state_coins_made(struct chaindb *db, const struct outpoint *at, bool *found,
                           struct coin *out, uint64_t *height, struct err *err);
enum errc state_coins_spent(struct chaindb *db, const struct outpoint *at, bool *found,
                            struct err *err);
/* A row of MADE_EACH or MADE_GET; of SPENT_EACH. */
enum errc state_coins_read_made(sqlite3_stmt *st, struct coin *out, uint64_t *height,
                                struct err *err);
enum errc state_coins_read_spent(sqlite3_stmt *st, struct outpoint *out,
                                 struct err *err);
void state_coins_fold_made(const struct coin *coin, uint64_t height,
                           uint8_t digest[32]);
void state_coins_fold_spent(const struct outpoint *at, uint8_t digest[32]);

#endif
