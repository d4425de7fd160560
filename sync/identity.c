#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/identity.h"

enum { SEED = crypto_sign_SEEDBYTES, FILE_TEXT = 2 * SEED + 1 };

struct identity {
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t *secret; /* sodium_malloc */
};

static enum errc write_new(const char *path, const uint8_t seed[SEED], struct err *err)
{
    char text[FILE_TEXT + 1];
    enum errc rc;

    hex_encode(seed, SEED, text);
    text[FILE_TEXT - 1] = '\n';
    rc = durable_replace(path, text, FILE_TEXT, err);
    sodium_memzero(text, sizeof(text));
    return rc;
}

static enum errc read_seed(const char *path, uint8_t seed[SEED], struct err *err)
{
    char text[FILE_TEXT + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    bool ok;

    if (fd < 0 && errno == ENOENT) {
        randombytes_buf(seed, SEED);
        return write_new(path, seed, err);
    }
    if (fd < 0)
        return err_errno(err, "%s", path);
    n = read(fd, text, sizeof(text));
    (void)close(fd);
    ok = n == FILE_TEXT && text[FILE_TEXT - 1] == '\n' &&
         hex_decode(text, SEED, true, seed);
    sodium_memzero(text, sizeof(text));
    return ok ? ERR_OK
              : err_set(err, ERR_CONFLICT,
                        "%s holds no key; restore it, or move it away for a new one",
                        path);
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
