#ifndef SYNC_CHAIN_CONNECT_H
#define SYNC_CHAIN_CONNECT_H

#include "sync/chain/block.h"

/*
 * The rules of a block that need the state before it: inputs are unspent, belong to the
 * sender, cover outputs and fee by the chain's decimal rule; no coin spent twice or
 * made and spent in one block or made while it exists; coinbases within reward, bonus
 * and fees (protocol.md 5.5: reward * 1.2 + fees).  The genesis block only makes its
 * coins. Pure but for the lookup it is given.
 */
struct connect_view {
    /* True and *out filled if the coin is unspent before this block.  A failure of the
       storage below sets err and returns false with err->code set. */
    bool (*find)(void *arg, const struct outpoint *at, struct coin *out,
                 struct err *err);
    void *arg;
    u128 supply; /* atto unspent before the block */
};

/* What the block changes.  Arrays are owned by the struct. */
struct connect_changes {
    struct coin *spent; /* the whole coins, for the undo record */
    size_t spent_count;
    struct coin *made;
    size_t made_count;
    u128 fees;   /* atto, declared */
    u128 minted; /* atto, coinbase outputs */
    u128 supply; /* atto unspent after the block */
};

void connect_changes_fini(struct connect_changes *c);

/* ERR_VERIFY with the reason, or the lookup's error.  out untouched on failure. */
enum errc connect_block(const struct block *b, const struct chain_params *params,
                        const struct connect_view *view, struct connect_changes *out,
                        struct err *err);

#endif
