#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/cli/cli_passphrase.h"
#include "daemon/cli/cli_signer.h"

enum cli_exit cli_signer_read(const struct cli *c, struct trust_sealed *out)
{
    const char *path = c->values[CLI_OPT_KEY];
    char text[TRUST_SEALED_MAX];
    struct err err;
    enum errc rc;
    ssize_t n;
    int fd;

    if (!path)
        return cli_usage(c, "wants --key FILE");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (n < 0)
        (void)fprintf(stderr, "cairn: %s: %s\n", path, strerrordesc_np(errno));
    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return CLI_UNREADABLE;
    rc = trust_sealed_parse(text, (size_t)n, out, &err);
    sodium_memzero(text, sizeof(text));
    if (rc == ERR_OK)
        return CLI_DONE;
    (void)fprintf(stderr, "cairn: %s: %s\n", path, err.msg);
    return CLI_FAILED;
}

enum cli_exit cli_signer_open(const struct cli *c, const struct trust_sealed *sealed,
                              struct trust_secret **out)
{
    CLEANUP(cli_passphrase_free) char *passphrase = NULL;
    const char *path = c->values[CLI_OPT_KEY];
    enum cli_exit rc = CLI_DONE;
    struct err err;

    if (sealed->encrypted)
        rc = cli_passphrase_get(c, path, false, &passphrase);
    if (rc != CLI_DONE || trust_sealed_open(sealed, passphrase, out, &err) == ERR_OK)
        return rc;
    (void)fprintf(stderr, "cairn: %s: %s\n", path, err.msg);
    return CLI_FAILED;
}

enum cli_exit cli_signer_confirm(const struct cli *c, const struct trust_sealed *sealed)
{
    char key[TRUST_KEY_TEXT], answer[8];

    if (c->values[CLI_OPT_YES])
        return CLI_DONE;
    if (!isatty(STDIN_FILENO))
        return cli_usage(c, "there is no terminal to ask on: give --yes");
    trust_key_text(&sealed->key, key);
    (void)fflush(stdout);
    (void)fprintf(stderr, "Sign this with %s? Type yes: ", key);
    if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0)
        return CLI_DONE;
    (void)fputs("cairn: not signed\n", stderr);
    return CLI_FAILED;
}
