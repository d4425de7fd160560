#ifndef BASE_COIN_H
#define BASE_COIN_H

#include <stdint.h>

/*
 * One unspent output, as the chain rules make it and the store keeps it: a plain value.
 * The script is not a field: it is "P2PKH " and the address, and every other script is
 * refused where coins come in (protocol.md 10.7).
 */
enum { COIN_ADDRESS_MAX = 128 }; /* bytes of UTF-8; a standard address has 44 or 43 */

struct outpoint {
    uint8_t txid[32];
    uint32_t vout;
};

struct coin {
    struct outpoint at;
    double amount; /* XAI, finite, >= 0, truncated at 18 decimals (protocol.md 1.2) */
    char address[COIN_ADDRESS_MAX + 1];
};

/* Order of outpoints: txid bytes, then vout. */
int outpoint_compare(const struct outpoint *a, const struct outpoint *b);

#endif
