#ifndef STORE_COINHEAD_H
#define STORE_COINHEAD_H

#include <stdint.h>

#include "store/coinfile.h"

/* The header of a coin file (docs/snapshot-format.md).  Pure; any thread. */
enum { COINHEAD_BYTES = 120 };

/* INVALID if the network is not 1 to 31 printable characters. */
enum errc coinhead_encode(const struct coinfile_id *id, uint8_t out[COINHEAD_BYTES],
                          struct err *err);
/* STORAGE_CORRUPT. */
enum errc coinhead_decode(const uint8_t in[COINHEAD_BYTES], struct coinfile_id *out,
                          struct err *err);

#endif
