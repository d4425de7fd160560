#include <sodium.h>
#include <string.h>

#include "sync/trust/trust_sealed.h"

_Static_assert(TRUST_SEALED_BOX == TRUST_SECRET_BYTES + crypto_secretbox_MACBYTES,
               "what secretbox makes");
_Static_assert(sizeof(((struct trust_sealed *)0)->salt) == crypto_pwhash_SALTBYTES,
               "what pwhash takes");
_Static_assert(sizeof(((struct trust_sealed *)0)->nonce) == crypto_secretbox_NONCEBYTES,
               "what secretbox takes");

const struct trust_cost trust_sealed_moderate = {
    .opslimit = crypto_pwhash_OPSLIMIT_MODERATE,
    .memlimit = crypto_pwhash_MEMLIMIT_MODERATE,
};

void trust_sealed_wipe(struct trust_sealed *s)
{
    sodium_memzero(s, sizeof(*s));
}

static void free_locked(uint8_t *p)
{
    sodium_free(p);
}
DEFINE_CLEANUP(uint8_t, free_locked)

static enum errc stretch(const struct trust_sealed *s, const char *passphrase,
                         uint8_t *out, struct err *err)
{
    if (crypto_pwhash(out, crypto_secretbox_KEYBYTES, passphrase, strlen(passphrase),
                      s->salt, s->cost.opslimit, (size_t)s->cost.memlimit,
                      crypto_pwhash_ALG_ARGON2ID13) == 0)
        return ERR_OK;
    return err_set(err, ERR_IO,
                   "not the %llu MiB of memory that this key's Argon2id needs",
                   (unsigned long long)(s->cost.memlimit >> 20));
}

enum errc trust_sealed_seal(const struct trust_secret *secret, const char *passphrase,
                            const struct trust_cost *cost, struct trust_sealed *out,
                            struct err *err)
{
    CLEANUP(free_locked) uint8_t *key = NULL;
    TRUST_SEALED s = {.key = *trust_secret_key(secret),
                      .encrypted = passphrase != NULL};

    if (!passphrase) {
        memcpy(s.secret, trust_secret_bytes(secret), sizeof(s.secret));
        *out = s;
        return ERR_OK;
    }
    s.cost = *cost;
    randombytes_buf(s.salt, sizeof(s.salt));
    randombytes_buf(s.nonce, sizeof(s.nonce));
    key = sodium_malloc(crypto_secretbox_KEYBYTES);
    if (!key)
        return err_set(err, ERR_IO, "no locked memory for a key");
    if (stretch(&s, passphrase, key, err))
        return err->code;
    (void)crypto_secretbox_easy(s.box, trust_secret_bytes(secret), TRUST_SECRET_BYTES,
                                s.nonce, key);
    *out = s;
    return ERR_OK;
}

/* The public key is no part of the box: what came out has to make it. */
static enum errc make(const struct trust_sealed *s, const uint8_t *bytes,
                      struct trust_secret **out, struct err *err)
{
    CLEANUP(trust_secret_free) struct trust_secret *secret = NULL;
    enum errc rc = trust_secret_create(s->key.alg, bytes, &secret, err);

    if (rc == ERR_IO)
        return rc;
    if (rc || !trust_key_equal(trust_secret_key(secret), &s->key))
        return err_set(err, ERR_VERIFY,
                       "the key file was altered: its secret is not "
                       "that of its public key");
    *out = TAKE(secret);
    return ERR_OK;
}

enum errc trust_sealed_open(const struct trust_sealed *s, const char *passphrase,
                            struct trust_secret **out, struct err *err)
{
    CLEANUP(free_locked) uint8_t *key = NULL;
    CLEANUP(free_locked) uint8_t *bytes = NULL;

    if (!s->encrypted)
        return make(s, s->secret, out, err);
    key = sodium_malloc(crypto_secretbox_KEYBYTES);
    bytes = sodium_malloc(TRUST_SECRET_BYTES);
    if (!key || !bytes)
        return err_set(err, ERR_IO, "no locked memory for a key");
    if (stretch(s, passphrase, key, err))
        return err->code;
    if (crypto_secretbox_open_easy(bytes, s->box, sizeof(s->box), s->nonce, key) != 0)
        return err_set(err, ERR_VERIFY,
                       "wrong passphrase, or the key file was altered");
    return make(s, bytes, out, err);
}
