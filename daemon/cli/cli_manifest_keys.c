#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/cli/cli_manifest.h"
#include "daemon/cli/cli_text.h"

static bool add_key(const struct cli *c, const char *text, struct cli_manifest_keys *k)
{
    struct trust_key key;

    if (!trust_key_parse(text, &key)) {
        (void)cli_usage(c,
                        "--keys: %.140s is no public key: ed25519: and 64 hex digits, "
                        "or a secp256k1 point",
                        text);
        return false;
    }
    for (size_t i = 0; i < k->count; i++) {
        if (trust_key_equal(&k->keys[i], &key)) {
            (void)cli_usage(c, "--keys: one key is listed twice");
            return false;
        }
    }
    if (k->count == TRUST_KEYS_MAX) {
        (void)cli_usage(c, "--keys: at most %d", TRUST_KEYS_MAX);
        return false;
    }
    k->keys[k->count++] = key;
    return true;
}

bool cli_manifest_keys(const struct cli *c, struct cli_manifest_keys *out)
{
    const char *list = c->values[CLI_OPT_KEYS], *count = c->values[CLI_OPT_THRESHOLD];
    AUTOFREE char *copy = xstrdup(list ? list : "");
    char *rest = copy, *word;
    double n = 1;

    *out = (struct cli_manifest_keys){.threshold = 0};
    if (!list && !count)
        return true;
    if (!list) {
        (void)cli_usage(c, "--threshold wants --keys to count");
        return false;
    }
    while ((word = strsep(&rest, ",")))
        if (!add_key(c, word, out))
            return false;
    if (count && !cli_number(c, "--threshold", count, (double)out->count, &n))
        return false;
    if (n < 1) {
        (void)cli_usage(c, "--threshold is at least 1");
        return false;
    }
    out->threshold = (unsigned)n;
    return true;
}

enum cli_exit cli_manifest_judge(const struct manifest *m,
                                 struct cli_manifest_keys *keys)
{
    keys->signed_count = manifest_signed(m, keys->keys, keys->count, keys->signed_by);
    return keys->signed_count < keys->threshold ? CLI_UNSIGNED : CLI_DONE;
}

void cli_manifest_show_keys(const struct cli_manifest_keys *keys)
{
    if (keys->threshold == 0)
        cli_text_fact("trust", "not judged: give --keys and --threshold");
    else
        cli_text_fact("trust", "%zu of the %zu keys given signed it, %u have to: %s",
                      keys->signed_count, keys->count, keys->threshold,
                      keys->signed_count < keys->threshold ? "TOO FEW" : "enough");
}
