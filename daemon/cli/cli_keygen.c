#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_passphrase.h"
#include "daemon/cli/cli_text.h"
#include "sync/trust/trust_sealed.h"

static void print(const struct cli *c, const struct trust_sealed *s)
{
    const char *path = c->values[CLI_OPT_OUT];
    char key[TRUST_KEY_TEXT];

    trust_key_text(&s->key, key);
    if (cli_is_json(c)) {
        (void)printf("{\"public_key\":\"%s\",\"alg\":\"%s\",\"encrypted\":%s}\n", key,
                     trust_key_alg_name(s->key.alg), s->encrypted ? "true" : "false");
        return;
    }
    cli_text_fact("key file", "%s%s", path, s->encrypted ? "" : ", NOT ENCRYPTED");
    cli_text_fact("public key", "%s", key);
    (void)printf("line for checkpoint.trusted_pubkeys of the configuration:\n"
                 "  - \"%s\"\n",
                 key);
}

static enum errc make(enum trust_key_alg alg, const char *passphrase, const char *path,
                      struct trust_sealed *sealed, struct err *err)
{
    CLEANUP(trust_secret_free) struct trust_secret *secret = NULL;
    char text[TRUST_SEALED_MAX];
    enum errc rc;

    if (trust_secret_generate(alg, &secret, err) ||
        trust_sealed_seal(secret, passphrase, &trust_sealed_moderate, sealed, err))
        return err->code;
    rc = durable_create(path, text, trust_sealed_text(sealed, text), err);
    sodium_memzero(text, sizeof(text));
    return rc;
}

enum cli_exit cli_keygen_run(struct cli *c)
{
    const char *path = c->values[CLI_OPT_OUT], *name = c->values[CLI_OPT_ALG];
    CLEANUP(cli_passphrase_free) char *passphrase = NULL;
    enum trust_key_alg alg = TRUST_ED25519;
    TRUST_SEALED sealed = {.encrypted = false};
    enum cli_exit rc = CLI_DONE;
    struct err err;

    if (!path)
        return cli_usage(c, "wants --out FILE");
    if (name && !trust_key_alg_parse(name, &alg))
        return cli_usage(c, "--alg wants ed25519 or secp256k1");
    if (c->values[CLI_OPT_NO_PASSPHRASE] && c->values[CLI_OPT_PASSPHRASE_FILE])
        return cli_usage(c, "--no-passphrase and --passphrase-file exclude each other");
    if (access(path, F_OK) == 0) { /* before a passphrase is thought up */
        (void)fprintf(stderr, "cairn: %s is there already\n", path);
        return CLI_FAILED;
    }
    if (!c->values[CLI_OPT_NO_PASSPHRASE])
        rc = cli_passphrase_get(c, path, true, &passphrase);
    if (rc != CLI_DONE)
        return rc;
    if (make(alg, passphrase, path, &sealed, &err)) {
        (void)fprintf(stderr, "cairn: %s\n", err.msg);
        return CLI_FAILED;
    }
    print(c, &sealed);
    return CLI_DONE;
}
