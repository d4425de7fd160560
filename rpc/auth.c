#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/mem.h"
#include "rpc/auth.h"

enum { TOKEN_BYTES = 32, TOKEN_TEXT = 2 * TOKEN_BYTES };

struct auth {
    char token[TOKEN_TEXT + 1];
    char *cookie; /* path */
};

static enum errc write_all(int fd, const char *text, const char *path, struct err *err)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t n = write(fd, text, left);

        if (n < 0)
            return err_errno(err, "%s", path);
        text += n;
        left -= (size_t)n;
    }
    return ERR_OK;
}

/* Beside, then over the old one: nobody reads half a token. */
static enum errc write_cookie(const struct auth *auth, struct err *err)
{
    AUTOFREE char *temp = xasprintf("%s.tmp", auth->cookie);
    char line[TOKEN_TEXT + 2];
    int fd;

    (void)unlink(temp); /* of a run that was killed here */
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "%s", temp);
    (void)snprintf(line, sizeof(line), "%s\n", auth->token);
    (void)write_all(fd, line, temp, err);
    sodium_memzero(line, sizeof(line));
    if (close(fd) != 0 && err->code == ERR_OK)
        (void)err_errno(err, "%s", temp);
    if (err->code == ERR_OK && rename(temp, auth->cookie) != 0)
        (void)err_errno(err, "%s", auth->cookie);
    return err->code;
}

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
    err->code = ERR_OK;
    if (write_cookie(auth, err))
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
