#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/config/conf_token.h"

enum { TOKEN_BYTES = 32 };

static void print(const struct cli *c, const char *name, const char *role,
                  const char *token, const char *hash)
{
    if (cli_is_json(c))
        (void)printf(
            "{\"token\":\"%s\",\"name\":\"%s\",\"role\":\"%s\",\"hash\":\"" CONF_TOKEN_SCHEME
            "%s\"}\n",
            token, name, role, hash);
    else
        (void)printf("token, shown only now:\n"
                     "  %s\n"
                     "line for rpc.tokens of the configuration:\n"
                     "  - {name: \"%s\", role: %s, hash: \"" CONF_TOKEN_SCHEME
                     "%s\"}\n",
                     token, name, role, hash);
}

enum cli_exit cli_token_create(struct cli *c)
{
    const char *name = c->values[CLI_OPT_NAME], *role = c->values[CLI_OPT_ROLE];
    char token[2 * TOKEN_BYTES + 1], text[65];
    uint8_t bytes[TOKEN_BYTES], hash[32];

    if (!name)
        name = "operator";
    if (!role)
        role = "read";
    if (!conf_token_is_name(name))
        return cli_usage(
            c, "--name wants 1 to %d letters, digits, '.', '_', '-'; cookie is taken",
            CONF_TOKEN_NAME_MAX);
    if (strcmp(role, "read") != 0 && strcmp(role, "admin") != 0)
        return cli_usage(c, "--role wants read or admin");
    randombytes_buf(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), token);
    (void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)token,
                             sizeof(token) - 1, NULL, 0); /* fails only on sizes */
    hex_encode(hash, sizeof(hash), text);
    print(c, name, role, token, text);
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(token, sizeof(token));
    return CLI_DONE;
}
