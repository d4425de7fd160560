#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/mem.h"
#include "rpc/auth.h"
#include "rpc/runfile.h"

enum { TOKEN_BYTES = 32, TOKEN_TEXT = 2 * TOKEN_BYTES };

struct auth {
    char token[TOKEN_TEXT + 1];
    char *cookie; /* path */
};

enum errc auth_create(const char *data_dir, struct auth **out, struct err *err)
{
    CLEANUP(auth_free) struct auth *auth = NULL;
    uint8_t bytes[TOKEN_BYTES];

    if (sodium_init() < 0)
        return err_fail(err, REASON_INTERNAL, "libsodium does not start");
    auth = sodium_malloc(sizeof(*auth));
    if (!auth)
        return err_errno(err, "memory for the token");
    auth->cookie = xasprintf("%s/rpc.cookie", data_dir);
    randombytes_buf(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), auth->token);
    sodium_memzero(bytes, sizeof(bytes));
    if (runfile_write(auth->cookie, auth->token, err))
        return err->code;
    *out = TAKE(auth);
    return ERR_OK;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    (void)unlink(auth->cookie); /* it opens nothing any more */
    free(auth->cookie);
    sodium_free(auth);
}

bool auth_check(const struct auth *auth, const char *header)
{
    static const char scheme[] = "Bearer ";

    if (!header || strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
        return false;
    header += sizeof(scheme) - 1;
    return strlen(header) == TOKEN_TEXT &&
           sodium_memcmp(header, auth->token, TOKEN_TEXT) == 0;
}
