#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "sync/trust/trust.h"

void trust_digest(uint64_t height, const uint8_t block_hash[32], const char *state_hash,
                  uint8_t out[32])
{
    char text[256], hex[65];
    int len;

    hex_encode(block_hash, 32, hex);
    len = snprintf(text, sizeof(text),
                   "{\"block_hash\":\"%s\",\"height\":%" PRIu64
                   ",\"state_hash\":\"%.64s\"}",
                   hex, height, state_hash);
    hash_sha256(text, (size_t)len, out);
}

static void put(struct buf *out, const char *name, const char *hex)
{
    if (hex)
        buf_printf(out, "\"%s\":\"%.64s\"", name, hex);
    else
        buf_printf(out, "\"%s\":null", name);
}

void trust_digest_cairn(const struct chain_params *params,
                        const struct trust_candidate *c, uint8_t out[32])
{
    static const char domain[] = "cairn-checkpoint-v1";
    CLEANUP_BUF struct buf text = BUF(1024);
    char hex[65];

    buf_put(&text, domain, sizeof(domain)); /* with its NUL */
    hex_encode(c->block_hash, 32, hex);
    buf_puts(&text, "{");
    put(&text, "block_hash", hex);
    hex_encode(params->genesis_hash, 32, hex);
    buf_puts(&text, ",");
    put(&text, "genesis_hash", hex);
    buf_printf(&text, ",\"height\":%" PRIu64 ",\"network\":", c->height);
    json_write_string(params->network, strlen(params->network), &text);
    buf_puts(&text, ",");
    put(&text, "state_hash", c->has_state_hash ? c->state_hash : NULL);
    buf_puts(&text, ",");
    hex_encode(c->state_root, 32, hex);
    put(&text, "state_root", c->has_state_root ? hex : NULL);
    buf_puts(&text, "}");
    hash_sha256(text.data, text.len, out);
}
