#ifndef STORE_COINROOT_H
#define STORE_COINROOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/u128.h"

/* The state root of docs/snapshot-format.md.  leaves is scratch: count hashes of 32
   bytes, overwritten.  Pure; any thread. */
void coinroot_compute(uint8_t *leaves, size_t count, uint64_t coin_count, u128 total,
                      uint8_t out[32]);

#endif
