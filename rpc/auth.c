#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/mem.h"
#include "rpc/auth.h"
#include "rpc/runfile.h"

enum { TOKEN_BYTES = 32, TOKEN_TEXT = 2 * TOKEN_BYTES, PRESENTED_MAX = 512 };

struct auth {
    struct rpc_token cookie;
    const struct rpc_token *tokens;
    size_t count;
    char *path; /* of the cookie */
};

/* Tokens are 256 random bits, so that a fast hash is enough. */
static void hash_token(const char *text, size_t len, uint8_t out[32])
{
    (void)crypto_generichash(out, 32, (const uint8_t *)text, len, NULL, 0);
}

static enum errc bake(struct auth *auth, struct err *err)
{
    uint8_t bytes[TOKEN_BYTES];
    char token[TOKEN_TEXT + 1];
    enum errc rc;

    randombytes_buf(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), token);
    auth->cookie = (struct rpc_token){.name = "cookie", .role = RPC_ROLE_ADMIN};
    hash_token(token, TOKEN_TEXT, auth->cookie.hash);
    rc = runfile_write(auth->path, token, err);
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(token, sizeof(token));
    return rc;
}

enum errc auth_create(const char *data_dir, const struct rpc_token *tokens,
                      size_t count, struct auth **out, struct err *err)
{
    CLEANUP(auth_free) struct auth *auth = NULL;

    if (count > RPC_TOKENS_MAX)
        return err_set(err, ERR_INVALID, "rpc.tokens: at most %d", RPC_TOKENS_MAX);
    if (sodium_init() < 0)
        return err_fail(err, REASON_INTERNAL, "libsodium does not start");
    auth = xcalloc(1, sizeof(*auth));
    auth->tokens = tokens;
    auth->count = count;
    auth->path = xasprintf("%s/rpc.cookie", data_dir);
    if (bake(auth, err))
        return err->code;
    *out = TAKE(auth);
    return ERR_OK;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    (void)unlink(auth->path); /* it opens nothing any more */
    free(auth->path);
    free(auth);
}

bool auth_check(const struct auth *auth, const char *header, struct auth_caller *out)
{
    static const char scheme[] = "Bearer ";
    const struct rpc_token *found = NULL;
    uint8_t hash[32];
    size_t len;

    if (!header || strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
        return false;
    header += sizeof(scheme) - 1;
    len = strlen(header);
    if (len > PRESENTED_MAX)
        return false;
    hash_token(header, len, hash);
    for (size_t i = 0; i <= auth->count; i++) { /* the cookie, then the others */
        const struct rpc_token *t = i == 0 ? &auth->cookie : &auth->tokens[i - 1];

        if (sodium_memcmp(hash, t->hash, sizeof(hash)) == 0)
            found = t;
    }
    if (!found)
        return false;
    *out = (struct auth_caller){.role = found->role, .name = found->name};
    return true;
}
