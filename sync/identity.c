#include <sodium.h>
#include <string.h>

#include "base/keyfile.h"
#include "base/mem.h"
#include "sync/identity.h"

enum { SEED = KEYFILE_SECRET };
_Static_assert(crypto_sign_SEEDBYTES == KEYFILE_SECRET, "the file holds the seed");

struct identity {
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t *secret; /* sodium_malloc */
};

static enum errc read_seed(const char *path, uint8_t seed[SEED], struct err *err)
{
    enum errc rc = keyfile_read(path, seed, err);

    if (rc != ERR_NOTFOUND)
        return rc;
    randombytes_buf(seed, SEED);
    return keyfile_write(path, seed, err);
}

enum errc identity_open(const char *path, struct identity **out, struct err *err)
{
    CLEANUP(identity_close) struct identity *id = xcalloc(1, sizeof(*id));
    uint8_t seed[SEED];

    if (sodium_init() < 0)
        return err_set(err, ERR_IO, "libsodium does not start");
    id->secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    if (!id->secret)
        return err_set(err, ERR_IO, "no locked memory for %s", path);
    if (read_seed(path, seed, err))
        return err->code;
    (void)crypto_sign_seed_keypair(id->public, id->secret, seed);
    sodium_memzero(seed, sizeof(seed));
    *out = TAKE(id);
    return ERR_OK;
}

void identity_close(struct identity *id)
{
    if (!id)
        return;
    sodium_free(id->secret);
    free(id);
}

void identity_public(const struct identity *id, uint8_t out[32])
{
    memcpy(out, id->public, sizeof(id->public));
}

void identity_sign(const struct identity *id, const void *message, size_t len,
                   uint8_t out[64])
{
    (void)crypto_sign_detached(out, NULL, message, len, id->secret);
}
