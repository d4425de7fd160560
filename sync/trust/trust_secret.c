#include <secp256k1.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sync/trust/trust_secret.h"

struct trust_secret { /* sodium_malloc, as a whole */
    struct trust_key key;
    secp256k1_context *ctx; /* blinded: signing leaks less by its timing */
    uint8_t bytes[TRUST_SECRET_BYTES];
    uint8_t ed25519[crypto_sign_SECRETKEYBYTES];
};
_Static_assert(crypto_sign_SEEDBYTES == TRUST_SECRET_BYTES, "the seed of a key");

static void make_ed25519(struct trust_secret *s)
{
    (void)crypto_sign_seed_keypair(s->key.bytes, s->ed25519, s->bytes);
}

static bool make_secp256k1(struct trust_secret *s)
{
    secp256k1_pubkey point;
    size_t len = sizeof(s->key.bytes);
    uint8_t seed[32];

    s->ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
    if (!s->ctx)
        abort(); /* memory */
    randombytes_buf(seed, sizeof(seed));
    if (!secp256k1_context_randomize(s->ctx, seed))
        abort(); /* does not fail for a context that signs */
    sodium_memzero(seed, sizeof(seed));
    if (!secp256k1_ec_pubkey_create(s->ctx, &point, s->bytes))
        return false;
    (void)secp256k1_ec_pubkey_serialize(s->ctx, s->key.bytes, &len, &point,
                                        SECP256K1_EC_COMPRESSED);
    return true;
}

enum errc trust_secret_create(enum trust_key_alg alg,
                              const uint8_t bytes[TRUST_SECRET_BYTES],
                              struct trust_secret **out, struct err *err)
{
    CLEANUP(trust_secret_free) struct trust_secret *s = sodium_malloc(sizeof(*s));

    if (!s)
        return err_set(err, ERR_IO, "no locked memory for a key");
    memset(s, 0, sizeof(*s));
    s->key.alg = alg;
    memcpy(s->bytes, bytes, sizeof(s->bytes));
    if (alg == TRUST_ED25519)
        make_ed25519(s);
    else if (!make_secp256k1(s))
        return err_set(err, ERR_INVALID, "these bytes are no secp256k1 key");
    *out = TAKE(s);
    return ERR_OK;
}

enum errc trust_secret_generate(enum trust_key_alg alg, struct trust_secret **out,
                                struct err *err)
{
    uint8_t bytes[TRUST_SECRET_BYTES];
    enum errc rc;

    do { /* not a scalar: once in 2^128 */
        randombytes_buf(bytes, sizeof(bytes));
        rc = trust_secret_create(alg, bytes, out, err);
    } while (rc == ERR_INVALID);
    sodium_memzero(bytes, sizeof(bytes));
    return rc;
}

void trust_secret_free(struct trust_secret *s)
{
    if (!s)
        return;
    if (s->ctx)
        secp256k1_context_destroy(s->ctx);
    sodium_free(s); /* wipes */
}

const struct trust_key *trust_secret_key(const struct trust_secret *s)
{
    return &s->key;
}

const uint8_t *trust_secret_bytes(const struct trust_secret *s)
{
    return s->bytes;
}

void trust_secret_sign(const struct trust_secret *s, const uint8_t digest[32],
                       uint8_t out[64])
{
    secp256k1_ecdsa_signature sig;

    if (s->key.alg == TRUST_ED25519) {
        (void)crypto_sign_detached(out, NULL, digest, 32, s->ed25519);
        return;
    }
    /* RFC 6979; low s.  A key that was made always signs. */
    if (!secp256k1_ecdsa_sign(s->ctx, &sig, digest, s->bytes, NULL, NULL))
        abort();
    (void)secp256k1_ecdsa_signature_serialize_compact(s->ctx, out, &sig);
}
