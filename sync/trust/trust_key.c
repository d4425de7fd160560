#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/chain/rules.h"
#include "sync/trust/trust.h"

static const char ed25519_prefix[] = "ed25519:";

static size_t key_bytes(const struct trust_key *k)
{
    return k->alg == TRUST_SECP256K1 ? 33 : 32;
}

static bool parse_ed25519(const char *hex, struct trust_key *out)
{
    struct trust_key key = {.alg = TRUST_ED25519};

    if (strlen(hex) != 64 || !hex_decode(hex, 32, false, key.bytes) ||
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
        return parse_ed25519(text + prefix, out);
    if (!ecdsa_key(text, key.bytes))
        return false;
    *out = key;
    return true;
}

bool trust_key_equal(const struct trust_key *a, const struct trust_key *b)
{
    return a->alg == b->alg && memcmp(a->bytes, b->bytes, key_bytes(a)) == 0;
}

void trust_key_text(const struct trust_key *key, char out[TRUST_KEY_TEXT])
{
    char hex[67];

    hex_encode(key->bytes, key_bytes(key), hex);
    (void)snprintf(out, TRUST_KEY_TEXT, "%s%s",
                   key->alg == TRUST_ED25519 ? ed25519_prefix : "", hex);
}
