#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_manifest.h"
#include "daemon/cli/cli_signer.h"
#include "daemon/cli/cli_text.h"
#include "sync/chain/ecdsa.h"

/* One that is there already is no error: signing twice is signing once. */
static enum errc sign_cairn(struct manifest *m, const struct trust_secret *secret,
                            struct err *err)
{
    struct trust_signed sig = {.key = *trust_secret_key(secret)};
    uint8_t digest[32];

    for (size_t i = 0; i < m->signature_count; i++)
        if (trust_key_equal(&m->signatures[i].key, &sig.key))
            return ERR_OK;
    manifest_digest(m, digest);
    trust_secret_sign(secret, digest, sig.signature);
    return manifest_add(m, &sig, err);
}

static bool has_signed_xai(const struct manifest *m, const struct trust_key *key)
{
    struct trust_key other;

    for (size_t i = 0; i < m->xai_count; i++)
        if (trust_key_parse(m->xai[i].pubkey, &other) && trust_key_equal(&other, key))
            return true;
    return false;
}

/* Over XAI's own digest, with the key as stock nodes spell it. */
static enum errc sign_xai(struct manifest *m, const struct trust_secret *secret,
                          struct err *err)
{
    const struct trust_key *key = trust_secret_key(secret);
    uint8_t digest[32], raw[64], sig[64];
    struct manifest_xai xai;
    char hex[65];

    if (!m->has_xai_state_hash)
        return err_set(
            err, ERR_CONFLICT,
            "it says nothing of XAI's state_hash: stock nodes could not check "
            "a signature");
    if (has_signed_xai(m, key))
        return ERR_OK;
    if (!ecdsa_key_raw(key->bytes, raw))
        return err_set(err, ERR_INVALID, "the key is no point");
    hex_encode(m->xai_state_hash, 32, hex);
    trust_digest(m->height, m->block_hash, hex, digest);
    trust_secret_sign(secret, digest, sig);
    hex_encode(raw, sizeof(raw), xai.pubkey);
    hex_encode(sig, sizeof(sig), xai.signature);
    return manifest_add_xai(m, &xai, err);
}

static enum cli_exit sign(struct cli *c, const char *path, struct manifest *m,
                          const struct trust_sealed *sealed)
{
    CLEANUP(trust_secret_free) struct trust_secret *secret = NULL;
    enum cli_exit rc = cli_signer_open(c, sealed, &secret);
    struct err err;

    if (rc != CLI_DONE)
        return rc;
    if (sign_cairn(m, secret, &err) ||
        (c->values[CLI_OPT_XAI] && sign_xai(m, secret, &err)))
        return cli_manifest_fault(path, &err);
    return CLI_DONE;
}

static void say_done(const struct cli *c, const struct manifest *m, const char *path)
{
    if (cli_is_json(c)) {
        cJSON *o = cli_manifest_json(m, NULL);
        AUTOFREE char *text = cJSON_PrintUnformatted(o);

        cJSON_Delete(o);
        (void)puts(text);
        return;
    }
    cli_text_fact("signatures", "%zu, %zu for stock nodes", m->signature_count,
                  m->xai_count);
    cli_text_fact("written to", "%s", path);
}

enum cli_exit cli_snapshot_sign(struct cli *c)
{
    AUTOFREE char *path = cli_manifest_path(c->words[0]);
    const char *to = c->values[CLI_OPT_OUT] ? c->values[CLI_OPT_OUT] : path;
    CLEANUP(manifest_free) struct manifest *m = NULL;
    TRUST_SEALED sealed;
    enum cli_exit rc = cli_signer_read(c, &sealed);

    if (rc != CLI_DONE)
        return rc;
    if (c->values[CLI_OPT_XAI] && sealed.key.alg != TRUST_SECP256K1)
        return cli_usage(c, "--xai wants a secp256k1 key: stock nodes know no other");
    rc = cli_manifest_read(path, &m);
    if (rc != CLI_DONE)
        return rc;
    if (!cli_is_json(c))
        cli_manifest_show(m);
    rc = cli_signer_confirm(c, &sealed);
    if (rc == CLI_DONE)
        rc = sign(c, path, m, &sealed);
    if (rc == CLI_DONE)
        rc = cli_manifest_write(m, to);
    if (rc == CLI_DONE)
        say_done(c, m, to);
    return rc;
}

static enum cli_exit add(struct manifest *m, const char *path)
{
    CLEANUP(manifest_free) struct manifest *more = NULL;
    enum cli_exit rc = cli_manifest_read(path, &more);
    struct err err;
    size_t added;

    if (rc != CLI_DONE)
        return rc;
    if (manifest_merge(m, more, &added, &err))
        return cli_manifest_fault(path, &err);
    return CLI_DONE;
}

enum cli_exit cli_snapshot_merge(struct cli *c)
{
    const char *to = c->values[CLI_OPT_OUT];
    CLEANUP(manifest_free) struct manifest *m = NULL;
    enum cli_exit rc;

    if (!to)
        return cli_usage(c, "wants --out FILE");
    rc = cli_manifest_read(c->words[0], &m);
    for (size_t i = 1; i < c->word_count && rc == CLI_DONE; i++)
        rc = add(m, c->words[i]);
    if (rc == CLI_DONE)
        rc = cli_manifest_write(m, to);
    if (rc == CLI_DONE)
        say_done(c, m, to);
    return rc;
}
