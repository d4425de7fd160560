#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * SHA-256 by libcrypto (streams) and nettle (short messages), both with the CPU's SHA
 * instructions, and Keccak-256 by nettle's permutation.  One struct hasher belongs to
 * one thread; the functions are pure.
 */
struct hasher;

struct hasher *hasher_create(void); /* SHA-256, ready for bytes */
void hasher_free(struct hasher *h);
DEFINE_CLEANUP(struct hasher, hasher_free)
void hasher_add(struct hasher *h, const void *bytes, size_t len);
/* The digest; the hasher is then ready for another message. */
void hasher_finish(struct hasher *h, uint8_t out[32]);

void hash_sha256(const void *bytes, size_t len, uint8_t out[32]);

/* Keccak-256 with the original padding (XAI's address checksum), of at most 135 bytes.
 */
void hash_keccak256_short(const void *bytes, size_t len, uint8_t out[32]);

/*
 * XAI's address checksum: gives the 40 hex digits of body (either case) the case that
 * Keccak-256 of their lower-case text demands.  protocol.md 6.3.
 */
void hash_address_case(char body[40]);

#endif
