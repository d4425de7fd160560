#ifndef STORE_STATE_ROOT_H
#define STORE_STATE_ROOT_H

#include <stdatomic.h>

#include "store/state.h"

/*
 * The state root of docs/snapshot-format.md of a state as it is now: of the coin file
 * that would be written of it, without writing one.  In constant memory but for 32
 * bytes a MiB of coins.  Like state_scan: inside chaindb_begin, the thread of the
 * state. CANCELLED when *cancel becomes true.
 */
struct state_root {
    uint8_t root[32];
    uint64_t coin_count;
    u128 total;
};
enum errc state_root_compute(struct state *s, const atomic_bool *cancel,
                             struct state_root *out, struct err *err);

#endif
