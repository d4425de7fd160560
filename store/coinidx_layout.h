#ifndef STORE_COINIDX_LAYOUT_H
#define STORE_COINIDX_LAYOUT_H

#include "store/coinidx.h"

/* Offsets within an index; for coinidx.c and coinidx_builder.c. */
enum {
    COINIDX_MAGIC = 0,
    COINIDX_VERSION = 8,
    COINIDX_CHUNKS = 12,
    COINIDX_SPARSE = 16,
    COINIDX_FILE_BYTES = 24,
    COINIDX_COINS = 32,
    COINIDX_TOTAL = 40,
    COINIDX_HEAD = 56,
    COINIDX_TABLE = COINIDX_HEAD + COINHEAD_BYTES,
    COINIDX_SUM = 32, /* the trailing SHA-256 */

    /* a row of the chunk table */
    COINIDX_ROW_OFFSET = 0,
    COINIDX_ROW_LEN = 8,
    COINIDX_ROW_COUNT = 12,
    COINIDX_ROW_KEY = 16,
    COINIDX_ROW_SHA = COINIDX_ROW_KEY + COINREC_KEY,
    COINIDX_ROW = COINIDX_ROW_SHA + 32,

    /* a sparse key: the key, then its record's offset in the coin file */
    COINIDX_KEY_OFFSET = COINREC_KEY,
    COINIDX_KEY = COINREC_KEY + 8,

    COINIDX_FORMAT = 1,
    COINIDX_STRIDE = 4096, /* of the coin file from one sparse key to the next */
};
static const char coinidx_magic[8] = {'C', 'A', 'I', 'R', 'N', 'C', 'I', '1'};

#endif
