#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/mem.h"
#include "daemon/cli/cli_manifest.h"
#include "daemon/cli/cli_text.h"

enum cli_exit cli_manifest_fault(const char *path, const struct err *err)
{
    AUTOFREE char *text = xasprintf("%s: %s", path, err->msg);

    cli_text_line(stderr, "cairn: ", text);
    if (err->reason != REASON_NONE)
        cli_text_line(stderr, "  hint: ", reason_hint(err->reason));
    return err->code == ERR_IO || err->code == ERR_NOTFOUND ? CLI_UNREADABLE
                                                            : CLI_FAILED;
}

char *cli_manifest_path(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return xasprintf("%s/manifest.json", path);
    return xstrdup(path);
}

enum cli_exit cli_manifest_read(const char *path, struct manifest **out)
{
    AUTOFREE char *file = cli_manifest_path(path);
    CLEANUP(manifest_free) struct manifest *m = NULL;
    struct err err;

    if (manifest_read(file, &m, &err) || manifest_check_signatures(m, &err))
        return cli_manifest_fault(file, &err);
    *out = TAKE(m);
    return CLI_DONE;
}

enum cli_exit cli_manifest_write(const struct manifest *m, const char *path)
{
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    struct err err;

    manifest_write(m, &text);
    if (durable_replace(path, text.data, text.len, &err))
        return cli_manifest_fault(path, &err);
    return CLI_DONE;
}

static void show_signatures(const struct manifest *m)
{
    char key[TRUST_KEY_TEXT];

    for (size_t i = 0; i < m->signature_count; i++) {
        trust_key_text(&m->signatures[i].key, key);
        cli_text_fact("signed by", "%s", key);
    }
    for (size_t i = 0; i < m->xai_count; i++)
        cli_text_fact("signed by", "%s, for stock nodes", m->xai[i].pubkey);
    if (m->signature_count + m->xai_count == 0)
        cli_text_fact("signed by", "nobody");
}

void cli_manifest_show(const struct manifest *m)
{
    char id[MANIFEST_ID], total[U128_TEXT + 2], work[WORK_TEXT], hex[65];
    uint8_t digest[32];

    manifest_id(m, id);
    manifest_digest(m, digest);
    cli_text_fact("snapshot", "%s, made by %s", id, m->software);
    cli_text_fact("network", "%s", m->network);
    cli_text_fact("height", "%" PRIu64, m->height);
    hex_encode(m->block_hash, 32, hex);
    cli_text_fact("block", "%s", hex);
    hex_encode(m->state_root, 32, hex);
    cli_text_fact("state root", "%s", hex);
    u128_amount_text(m->total, total);
    cli_text_fact("coins", "%" PRIu64 ", together %s XAI", m->coin_count, total);
    work_text(&m->work, work);
    cli_text_fact("work", "%s", work);
    if (m->has_xai_state_hash) {
        hex_encode(m->xai_state_hash, 32, hex);
        cli_text_fact("XAI state", "%s", hex);
    }
    hex_encode(digest, 32, hex);
    cli_text_fact("digest", "%s", hex);
    show_signatures(m);
}

static void add_hex(cJSON *o, const char *name, const uint8_t hash[32])
{
    char hex[65];

    hex_encode(hash, 32, hex);
    cJSON_AddStringToObject(o, name, hex);
}

static cJSON *signers_json(const struct manifest *m)
{
    cJSON *list = cJSON_CreateArray();
    char key[TRUST_KEY_TEXT];

    for (size_t i = 0; i < m->signature_count; i++) {
        trust_key_text(&m->signatures[i].key, key);
        cJSON_AddItemToArray(list, cJSON_CreateString(key));
    }
    return list;
}

static cJSON *xai_signers_json(const struct manifest *m)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < m->xai_count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(m->xai[i].pubkey));
    return list;
}

static void add_keys(cJSON *o, const struct cli_manifest_keys *k)
{
    cJSON *list = cJSON_AddArrayToObject(o, "trusted_signers");
    char key[TRUST_KEY_TEXT];

    for (size_t i = 0; i < k->count; i++) {
        if (!k->signed_by[i])
            continue;
        trust_key_text(&k->keys[i], key);
        cJSON_AddItemToArray(list, cJSON_CreateString(key));
    }
    cJSON_AddNumberToObject(o, "threshold", k->threshold);
}

cJSON *cli_manifest_json(const struct manifest *m, const struct cli_manifest_keys *keys)
{
    char id[MANIFEST_ID], total[U128_TEXT];
    cJSON *o = cJSON_CreateObject();
    uint8_t digest[32];

    manifest_id(m, id);
    manifest_digest(m, digest);
    u128_text(m->total, total);
    cJSON_AddStringToObject(o, "id", id);
    add_hex(o, "digest", digest);
    cJSON_AddStringToObject(o, "network", m->network);
    cJSON_AddNumberToObject(o, "height", (double)m->height);
    add_hex(o, "block_hash", m->block_hash);
    add_hex(o, "state_root", m->state_root);
    cJSON_AddNumberToObject(o, "coins", (double)m->coin_count);
    cJSON_AddStringToObject(o, "total", total);
    cJSON_AddItemToObject(o, "signers", signers_json(m));
    cJSON_AddItemToObject(o, "xai_signers", xai_signers_json(m));
    if (keys)
        add_keys(o, keys);
    return o;
}
