#ifndef SYNC_CHAIN_REWARD_H
#define SYNC_CHAIN_REWARD_H

#include <stdint.h>

/* 5.5: 12 halved every 262800 blocks, within what is left of 121 million.  Pure. */
double reward_at(uint64_t height, double circulating);

#endif
