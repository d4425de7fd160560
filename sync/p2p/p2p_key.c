#include <secp256k1.h>
#include <sodium.h>
#include <string.h>

#include "base/keyfile.h"
#include "base/mem.h"
#include "sync/p2p/p2p_key.h"

struct p2p_key {
    secp256k1_context *ctx; /* blinded: signing leaks less by its timing */
    uint8_t public[P2P_KEY_BYTES];
    uint8_t *secret; /* sodium_malloc */
};

static enum errc read_secret(const struct p2p_key *k, const char *path, struct err *err)
{
    enum errc rc = keyfile_read(path, k->secret, err);

    if (rc == ERR_OK && !secp256k1_ec_seckey_verify(k->ctx, k->secret))
        return keyfile_refuse(path, err);
    if (rc != ERR_NOTFOUND)
        return rc;
    do {
        randombytes_buf(k->secret, KEYFILE_SECRET);
    } while (!secp256k1_ec_seckey_verify(k->ctx, k->secret));
    return keyfile_write(path, k->secret, err);
}

static void make_public(struct p2p_key *k)
{
    secp256k1_pubkey point;
    uint8_t seed[32];
    size_t len = sizeof(k->public);

    randombytes_buf(seed, sizeof(seed));
    /* neither fails for a secret that was verified */
    if (!secp256k1_context_randomize(k->ctx, seed) ||
        !secp256k1_ec_pubkey_create(k->ctx, &point, k->secret))
        abort();
    sodium_memzero(seed, sizeof(seed));
    (void)secp256k1_ec_pubkey_serialize(k->ctx, k->public, &len, &point,
                                        SECP256K1_EC_COMPRESSED);
}

enum errc p2p_key_open(const char *path, struct p2p_key **out, struct err *err)
{
    CLEANUP(p2p_key_close) struct p2p_key *k = xcalloc(1, sizeof(*k));

    if (sodium_init() < 0)
        return err_set(err, ERR_IO, "libsodium does not start");
    k->secret = sodium_malloc(KEYFILE_SECRET);
    if (!k->secret)
        return err_set(err, ERR_IO, "no locked memory for %s", path);
    k->ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
    if (!k->ctx)
        abort();
    if (read_secret(k, path, err))
        return err->code;
    make_public(k);
    *out = TAKE(k);
    return ERR_OK;
}

void p2p_key_close(struct p2p_key *k)
{
    if (!k)
        return;
    if (k->ctx)
        secp256k1_context_destroy(k->ctx);
    sodium_free(k->secret);
    free(k);
}

void p2p_key_public(const struct p2p_key *k, uint8_t out[P2P_KEY_BYTES])
{
    memcpy(out, k->public, sizeof(k->public));
}

size_t p2p_key_sign(const struct p2p_key *k, const uint8_t digest[32],
                    uint8_t out[P2P_KEY_SIG_MAX])
{
    secp256k1_ecdsa_signature sig;
    size_t len = P2P_KEY_SIG_MAX;

    if (!secp256k1_ecdsa_sign(k->ctx, &sig, digest, k->secret, NULL, NULL) ||
        !secp256k1_ecdsa_signature_serialize_der(k->ctx, out, &len, &sig))
        abort(); /* a verified key always signs, and 72 bytes hold any signature */
    return len;
}
