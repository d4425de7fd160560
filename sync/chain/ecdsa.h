#ifndef SYNC_CHAIN_ECDSA_H
#define SYNC_CHAIN_ECDSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ECDSA over secp256k1 by libsecp256k1.  Pure; any thread. */

/* 6.4: over SHA-256(message), r||s in 128 hex digits of either case, low s only, key
   128 hex digits of raw X||Y. */
bool ecdsa_check(const char *pubkey_hex, const char *sig_hex, const void *message,
                 size_t len);

/* The same with the key as it is, X||Y. */
bool ecdsa_check_raw(const uint8_t key[64], const char *sig_hex, const void *message,
                     size_t len);

/* 10.4: over a ready digest, raw r||s, high s accepted; key as 33, 64 or 65 bytes.
   False for what is malformed too. */
bool ecdsa_check_digest(const uint8_t *key, size_t key_len, const uint8_t digest[32],
                        const uint8_t sig[64]);
/* The same over a compressed key, low s only. */
bool ecdsa_check_strict(const uint8_t key[33], const uint8_t digest[32],
                        const uint8_t sig[64]);
/* Any spelling of a key (33, 64, 65 bytes in hex of either case) to its 33 compressed
   bytes; false if it is no point. */
bool ecdsa_key(const char *hex, uint8_t out[33]);
/* X||Y of a compressed key, as stock spells it; false if it is no point. */
bool ecdsa_key_raw(const uint8_t key[33], uint8_t out[64]);

#endif
