#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "store/chaindb.h"
#include "store/coinfile.h"

/*
 * The state of one generation: the mounted coin file below, coins made and spent since
 * in chain.db above it.  One struct state belongs to one thread (a reader opens its
 * own; the mapping is shared by the kernel).  Directory: generations/<n>/ with
 * base.coins, base.idx, chain.db.
 */
struct state;

struct state_tip {
    uint64_t height;
    uint8_t hash[32];
    uint8_t work[40];
    u128 supply;         /* atto unspent */
    uint64_t coin_count; /* unspent */
};

/* Begin a state on a written coin file: sets base and tip in chain.db.  Done again
   before the first block it begins anew; after it: CONFLICT.  work is the summed work
   at the base block.  Inside a transaction.  A sync from genesis begins on a coin file
   of the genesis coins. */
enum errc state_init(struct chaindb *db, const struct coinfile_info *base,
                     const uint8_t work[40], struct err *err);

/* Opens what state_init began.  Takes no ownership of db.  STORAGE_CORRUPT if
   base.coins is not the one chain.db was begun on. */
enum errc state_open(const char *dir, struct chaindb *db, struct state **out,
                     struct err *err);
void state_close(struct state *s);
DEFINE_CLEANUP(struct state, state_close)

const struct coinfile_info *state_base(const struct state *s);
enum errc state_get_tip(struct state *s, struct state_tip *out, struct err *err);

/* *found false: not unspent.  made_height: 0 when it is in the base.  A reader calls it
   inside chaindb_begin, so that its few reads see one state. */
enum errc state_find(struct state *s, const struct outpoint *at, bool *found,
                     struct coin *out, uint64_t *made_height, struct err *err);

/* One block's changes (sync/chain/connect.h has the rules).  Call inside
   chaindb_begin/commit on db: writes coins, undo record, active entry and tip; roll
   back when it fails.  CONFLICT if the block does not stand on the tip; STORAGE_CORRUPT
   if a spent coin is not there as given, or a made one is. */
struct state_block {
    uint64_t height;
    uint8_t hash[32], prev[32], work[40];
    const struct coin *spent, *made;
    size_t spent_count, made_count;
    u128 supply; /* after */
};
enum errc state_apply(struct state *s, const struct state_block *b, struct err *err);

/* Takes the tip block back by its undo record; CONFLICT at the base. */
enum errc state_undo(struct state *s, struct err *err);

/* Unspent coins in outpoint order, base and changes merged, in constant memory.  Inside
   chaindb_begin, as a writer may be at work; each() must not use s. */
enum errc state_scan(struct state *s,
                     enum errc (*each)(void *arg, const struct coin *coin,
                                       struct err *err),
                     void *arg, struct err *err);

/* Reads all changes since the base and compares them with their stored digest, as
   SQLite has no checksums: STORAGE_CORRUPT if a row rotted.  The base has
   coinfile_verify. Reads about a million rows a second; in one transaction, as a writer
   may be at work. */
enum errc state_verify(struct state *s, struct err *err);

#endif
