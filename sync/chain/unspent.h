#ifndef SYNC_CHAIN_UNSPENT_H
#define SYNC_CHAIN_UNSPENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/coin.h"

/* 10.3: stock's unspent merkle root over n coins in any order (sorted in place by the
   text that is hashed).  Pure. */
void unspent_root(struct coin *coins, size_t n, uint8_t out[32]);

#endif
