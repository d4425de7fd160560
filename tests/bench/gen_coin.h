#ifndef TESTS_BENCH_GEN_COIN_H
#define TESTS_BENCH_GEN_COIN_H

#include "base/coin.h"

/* Coin i of n, in order already: the number spread over the first eight bytes of a
   random txid. */
struct coin gen_coin(uint64_t i, uint64_t n);

#endif
