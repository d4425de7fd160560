#ifndef TESTS_BENCH_GEN_PAYLOAD_H
#define TESTS_BENCH_GEN_PAYLOAD_H

#include "base/coin.h"
#include "base/u128.h"

/*
 * A valid checkpoint payload of any number of coins, written as stock spells it (keys
 * sorted, spaces after separators) in constant memory.  One thread; any failure ends
 * the program.
 */
struct gen_payload;

struct gen_payload *gen_payload_create(const char *path, uint64_t coins, u128 total);
/* Addresses ascend; the coins of one follow each other. */
void gen_payload_add(struct gen_payload *g, const struct coin *coin);
/* Closes the file and frees g; gives the file's bytes. */
uint64_t gen_payload_finish(struct gen_payload *g, uint64_t height,
                            const uint8_t block_hash[32]);

/*
 * Coin number i of n, for a payload: four coins to an address, addresses ascending and
 * spread over all that there are.  at is the caller's.
 */
struct coin gen_payload_coin(uint64_t i, uint64_t n);
u128 gen_payload_total(uint64_t n);

#endif
