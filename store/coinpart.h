#ifndef STORE_COINPART_H
#define STORE_COINPART_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/u128.h"
#include "store/coinrec.h"

/*
 * One chunk of a coin file, read by itself: every record's encoding and their order,
 * and what the whole file's index needs to know of it, so that chunks may come in any
 * order and none is read twice.  About 11 KiB: not for the stack.  Pure; any thread.
 */
enum {
    COINPART_KEY = COINREC_KEY + 8, /* a sparse key, as the index has it */
    COINPART_KEYS_MAX = 256,        /* the first one, then one each 4096 bytes */
};

struct coinpart {
    u128 total; /* atto */
    uint32_t bytes, coins;
    uint32_t first_len; /* of the first record: the chunk rule looks at it */
    uint32_t key_count;
    uint8_t first_key[COINREC_KEY], last_key[COINREC_KEY];
    uint8_t keys[COINPART_KEYS_MAX * COINPART_KEY];
};

/* raw_offset: where the chunk begins in the coin file.  PAYLOAD_MALFORMED names the
   byte of the chunk, which is of 1 to 2^20 bytes. */
enum errc coinpart_read(const uint8_t *raw, size_t len, uint64_t raw_offset,
                        struct coinpart *out, struct err *err);

#endif
