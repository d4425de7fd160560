#include <secp256k1.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "sync/chain/ecdsa.h"

enum { RAW = 64, COMPRESSED = 33, UNCOMPRESSED = 65 };

/* The static context verifies and parses; it is constant, so any thread may use it. */
static bool parse_key(const uint8_t *key, size_t len, secp256k1_pubkey *out)
{
    uint8_t full[UNCOMPRESSED] = {4};

    if (len == RAW) {
        memcpy(full + 1, key, RAW);
        key = full;
        len = sizeof(full);
    }
    if (len != COMPRESSED && len != UNCOMPRESSED)
        return false;
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, out, key, len) == 1;
}

bool ecdsa_check_raw(const uint8_t key[64], const char *sig_hex, const void *message,
                     size_t len)
{
    uint8_t sig[RAW], digest[32];
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature signature;

    if (strlen(sig_hex) != sizeof(sig) * 2 ||
        !hex_decode(sig_hex, sizeof(sig), false, sig) || !parse_key(key, RAW, &point) ||
        !secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &signature,
                                                 sig))
        return false;
    hash_sha256(message, len, digest);
    /* refuses a high s */
    return secp256k1_ecdsa_verify(secp256k1_context_static, &signature, digest,
                                  &point) == 1;
}

bool ecdsa_check(const char *pubkey_hex, const char *sig_hex, const void *message,
                 size_t len)
{
    uint8_t key[RAW];

    return strlen(pubkey_hex) == sizeof(key) * 2 &&
           hex_decode(pubkey_hex, sizeof(key), false, key) &&
           ecdsa_check_raw(key, sig_hex, message, len);
}

bool ecdsa_check_digest(const uint8_t *key, size_t key_len, const uint8_t digest[32],
                        const uint8_t sig[64])
{
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature signature;

    if (!parse_key(key, key_len, &point) ||
        !secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &signature,
                                                 sig))
        return false;
    (void)secp256k1_ecdsa_signature_normalize(secp256k1_context_static, &signature,
                                              &signature);
    return secp256k1_ecdsa_verify(secp256k1_context_static, &signature, digest,
                                  &point) == 1;
}

bool ecdsa_check_strict(const uint8_t key[33], const uint8_t digest[32],
                        const uint8_t sig[64])
{
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature signature;

    /* verification refuses a high s */
    return parse_key(key, COMPRESSED, &point) &&
           secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &signature,
                                                   sig) &&
           secp256k1_ecdsa_verify(secp256k1_context_static, &signature, digest,
                                  &point) == 1;
}

bool ecdsa_key(const char *hex, uint8_t out[33])
{
    size_t digits = strlen(hex), len = COMPRESSED;
    uint8_t key[UNCOMPRESSED];
    secp256k1_pubkey point;

    if (digits > 2 * sizeof(key) || digits % 2 != 0 ||
        !hex_decode(hex, digits / 2, false, key) || !parse_key(key, digits / 2, &point))
        return false;
    return secp256k1_ec_pubkey_serialize(secp256k1_context_static, out, &len, &point,
                                         SECP256K1_EC_COMPRESSED) == 1;
}

bool ecdsa_key_raw(const uint8_t key[33], uint8_t out[64])
{
    uint8_t full[UNCOMPRESSED];
    size_t len = sizeof(full);
    secp256k1_pubkey point;

    if (!parse_key(key, COMPRESSED, &point))
        return false;
    (void)secp256k1_ec_pubkey_serialize(secp256k1_context_static, full, &len, &point,
                                        SECP256K1_EC_UNCOMPRESSED);
    memcpy(out, full + 1, RAW);
    return true;
}
