#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/chain/rules.h"
#include "sync/trust/trust_key.h"

static const char ed25519_prefix[] = "ed25519:";

static size_t key_bytes(const struct trust_key *k)
{
    return k->alg == TRUST_SECP256K1 ? 33 : 32;
}

static bool parse_ed25519(const char *hex, bool lower, struct trust_key *out)
{
    struct trust_key key = {.alg = TRUST_ED25519};

    if (strlen(hex) != 64 || !hex_decode(hex, 32, lower, key.bytes) ||
        crypto_core_ed25519_is_valid_point(key.bytes) != 1)
        return false;
    *out = key;
    return true;
}

bool trust_key_parse(const char *text, struct trust_key *out)
{
    struct trust_key key = {.alg = TRUST_SECP256K1};
    size_t prefix = sizeof(ed25519_prefix) - 1;

    if (strncmp(text, ed25519_prefix, prefix) == 0)
        return parse_ed25519(text + prefix, false, out);
    if (!ecdsa_key(text, key.bytes))
        return false;
    *out = key;
    return true;
}

bool trust_key_parse_hex(enum trust_key_alg alg, const char *hex, struct trust_key *out)
{
    struct trust_key key = {.alg = alg};
    uint8_t bytes[33];

    if (alg == TRUST_ED25519)
        return parse_ed25519(hex, true, out);
    if (strlen(hex) != 66 || !hex_decode(hex, 33, true, bytes) ||
        !ecdsa_key(hex, key.bytes))
        return false;
    *out = key;
    return true;
}

bool trust_key_equal(const struct trust_key *a, const struct trust_key *b)
{
    return trust_key_compare(a, b) == 0;
}

int trust_key_compare(const struct trust_key *a, const struct trust_key *b)
{
    if (a->alg != b->alg)
        return a->alg < b->alg ? -1 : 1; /* "0..." comes before "ed25519:..." */
    return memcmp(a->bytes, b->bytes, key_bytes(a));
}

void trust_key_hex(const struct trust_key *key, char out[TRUST_KEY_HEX])
{
    hex_encode(key->bytes, key_bytes(key), out);
}

void trust_key_text(const struct trust_key *key, char out[TRUST_KEY_TEXT])
{
    char hex[TRUST_KEY_HEX];

    trust_key_hex(key, hex);
    (void)snprintf(out, TRUST_KEY_TEXT, "%s%s",
                   key->alg == TRUST_ED25519 ? ed25519_prefix : "", hex);
}

const char *trust_key_alg_name(enum trust_key_alg alg)
{
    return alg == TRUST_ED25519 ? "ed25519" : "secp256k1";
}

bool trust_key_alg_parse(const char *name, enum trust_key_alg *out)
{
    for (enum trust_key_alg i = TRUST_SECP256K1; i <= TRUST_ED25519; i++) {
        if (strcmp(name, trust_key_alg_name(i)) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool trust_key_verify(const struct trust_key *key, const uint8_t digest[32],
                      const uint8_t sig[64])
{
    if (key->alg == TRUST_ED25519)
        return crypto_sign_verify_detached(sig, digest, 32, key->bytes) == 0;
    return ecdsa_check_strict(key->bytes, digest, sig);
}
