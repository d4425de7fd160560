#ifndef SYNC_TRUST_TRUST_KEY_H
#define SYNC_TRUST_TRUST_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Public keys of signers and nodes.  Pure; any thread. */
enum trust_key_alg { TRUST_SECP256K1, TRUST_ED25519 };

struct trust_key {
    enum trust_key_alg alg;
    uint8_t bytes[33]; /* compressed point, or 32 bytes of Ed25519 */
};

enum {
    TRUST_KEY_HEX = 67,  /* digits and NUL, without prefix */
    TRUST_KEY_TEXT = 75, /* the same with "ed25519:" */
};

/* "02ab..", 64 or 65 byte forms, or "ed25519:<64 hex>".  False: no key. */
bool trust_key_parse(const char *text, struct trust_key *out);
/* The digits alone, lower case, 33 bytes for secp256k1: the one spelling that
   documents have. */
bool trust_key_parse_hex(enum trust_key_alg alg, const char *hex,
                         struct trust_key *out);
bool trust_key_equal(const struct trust_key *a, const struct trust_key *b);
/* Order of their texts. */
int trust_key_compare(const struct trust_key *a, const struct trust_key *b);
/* The one spelling it is shown in: 66 digits, or "ed25519:" and 64. */
void trust_key_text(const struct trust_key *key, char out[TRUST_KEY_TEXT]);
void trust_key_hex(const struct trust_key *key, char out[TRUST_KEY_HEX]);

/* "secp256k1", "ed25519". */
const char *trust_key_alg_name(enum trust_key_alg alg);
bool trust_key_alg_parse(const char *name, enum trust_key_alg *out);

/*
 * sig over the 32 bytes of a digest: ECDSA with r||s, low s only, or Ed25519 with the
 * digest as its message.  Each signature has one form, so a changed one never holds.
 */
bool trust_key_verify(const struct trust_key *key, const uint8_t digest[32],
                      const uint8_t sig[64]);

#endif
