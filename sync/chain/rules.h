#ifndef SYNC_CHAIN_RULES_H
#define SYNC_CHAIN_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/coin.h"
#include "base/err.h"
#include "base/json.h"
#include "base/u128.h"
#include "sync/chain/params.h"

/*
 * The small rules that blocks, payloads and tools share, each tested against its vector
 * file.  Pure; any thread.
 */

/* 1.2: truncate at 18 decimals.  False: not finite, negative, above 121000000. */
bool amount_normalise(double value, double *out);
/* The same from a JSON number (int or float; a bool is refused). */
bool amount_read(const struct json *v, double *out);

/* 5.5: 12 halved every 262800 blocks, within what is left of 121 million. */
double reward_at(uint64_t height, double circulating);

/* 6.3 constructor rule: out gets the normalised spelling.  False: not an address. */
bool address_normalise(const char *in, char out[COIN_ADDRESS_MAX + 1]);
/* 6.3 block rule: may it stand in a transfer on this network (senders, recipients,
   outputs)?  Not re-cased. */
bool address_in_transfer(const char *address, const struct chain_params *params);
/* The spendable address of a raw 64-byte public key. */
void address_of_key(const uint8_t key[64], const struct chain_params *params,
                    char out[COIN_ADDRESS_MAX + 1]);

/* 6.5: D(inputs) >= D(outputs) + D(fee), D being "%.18f" of the double. */
bool sums_suffice(double inputs, double outputs, double fee);

/* 5.2 over n texts of 64 digits (concatenated, 64 * n bytes); n = 0 gives SHA-256(""). */
void merkle_root(const char *txids, size_t n, uint8_t out[32]);

/* 6.4: ECDSA secp256k1 over SHA-256(message), r||s in 128 hex digits of either case, low
   s only, key 128 hex digits of raw X||Y. */
bool ecdsa_check(const char *pubkey_hex, const char *sig_hex, const void *message,
                 size_t len);

/* 10.4: secp256k1 over a ready digest, raw r||s, high s accepted; key as 33, 64 or 65
   bytes.  False for what is malformed too. */
bool ecdsa_check_digest(const uint8_t *key, size_t key_len, const uint8_t digest[32],
                        const uint8_t sig[64]);
/* Any spelling of a secp256k1 key (33, 64, 65 bytes in hex of either case) to its 33
   compressed bytes; false if it is no point. */
bool ecdsa_key(const char *hex, uint8_t out[33]);

/* 10.3: stock's unspent merkle root over n coins in any order (sorted in place by the
   text that is hashed). */
void unspent_root(struct coin *coins, size_t n, uint8_t out[32]);

#endif
