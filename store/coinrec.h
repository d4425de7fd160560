#ifndef STORE_COINREC_H
#define STORE_COINREC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/coin.h"
#include "base/err.h"
#include "base/u128.h"

/*
 * One record of a coin file (docs/snapshot-format.md): outpoint, amount, owner.  Each
 * coin has exactly one encoding.  Decoding takes any bytes and never reads past avail.
 * Pure; any thread.
 */
enum {
    COINREC_KEY = 36,                    /* txid, vout big-endian: memcmp orders */
    COINREC_OWNER = COINREC_KEY + 8 + 1, /* where the owner begins */
    COINREC_MIN = COINREC_OWNER + 2,     /* an address of one byte */
    COINREC_MAX = COINREC_OWNER + 1 + COIN_ADDRESS_MAX,
};

void coinrec_key(const struct outpoint *at, uint8_t out[COINREC_KEY]);

/* STATE_BOUNDS if the amount or the address is none that a coin can have. */
enum errc coinrec_encode(const struct coin *coin, uint8_t out[COINREC_MAX], size_t *len,
                         u128 *atto, struct err *err);

/* Another coin of the same owner in its place; the amount is as sound as that was. */
void coinrec_set(const struct outpoint *at, double amount, uint8_t rec[COINREC_MAX]);
u128 coinrec_atto(const uint8_t *p); /* of one that coinrec_encode made */

/* last, NULL for none, comes before key.  STATE_BOUNDS: "coin ... twice"; INTERNAL: out
   of order. */
enum errc coinrec_order(const uint8_t *last, const uint8_t key[COINREC_KEY],
                        struct err *err);

/* Length of the record at p, all of it checked; 0 if it is none or is cut. */
size_t coinrec_check(const uint8_t *p, size_t avail, u128 *atto);
/* Length only, from the owner's kind; 0 if cut.  For skipping in a checked chunk. */
size_t coinrec_length(const uint8_t *p, size_t avail);
/* Of a record that coinrec_check passed. */
void coinrec_decode(const uint8_t *p, struct coin *out);

#endif
