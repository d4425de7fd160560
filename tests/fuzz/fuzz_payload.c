#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "sync/snapshot/payload.h"

/*
 * Any text, first as a payload, then as the data of one whose state_hash is right (a
 * fuzzer cannot find hashes).  The hash made in passing must be that of base/json's
 * canonical text, in whatever spelling and order the text comes; what is no JSON must
 * be refused; and the canonical spelling of what is accepted must give the same state.
 */
static const size_t text_max = 1 << 20;

static char dir[32];
static char payload_path[64], coins_path[64], idx_path[64];

static void remove_dir(void)
{
    (void)unlink(payload_path);
    (void)unlink(coins_path);
    (void)unlink(idx_path);
    (void)rmdir(dir);
}

/* Memory where there is some: the coin file is synced at every run. */
static void make_dir(void)
{
    if (dir[0])
        return;
    (void)snprintf(dir, sizeof(dir), "%s/fuzz_payload-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(dir))
        abort();
    (void)snprintf(payload_path, sizeof(payload_path), "%s/payload", dir);
    (void)snprintf(coins_path, sizeof(coins_path), "%s/coins", dir);
    (void)snprintf(idx_path, sizeof(idx_path), "%s/idx", dir);
    (void)atexit(remove_dir);
}

static enum errc ingest(const char *text, size_t len, struct payload_result *out,
                        struct err *err)
{
    const struct payload_paths paths = {payload_path, coins_path, idx_path, dir};
    const struct payload_limits limits = {.max_bytes = 2 * text_max,
                                          .max_coins = 10000,
                                          .sort_memory = 4096,
                                          .max_supply = (u128)121000000 *
                                                        (u128)1000000000000000000U};
    FILE *f = fopen(payload_path, "wb");

    if (!f || fwrite(text, 1, len, f) != len || fclose(f) != 0)
        abort();
    return payload_ingest(&paths, "testnet", &limits, NULL, out, err);
}

static void try_as_payload(const char *text, size_t len)
{
    struct payload_result result;
    struct payload_meta meta;
    struct err err;
    enum errc rc = ingest(text, len, &result, &err);

    if (rc == ERR_OK && payload_meta_read(payload_path, &meta, &err) != ERR_OK)
        abort();
    if (rc == ERR_OK && (meta.height != result.meta.height ||
                         strcmp(meta.state_hash, result.meta.state_hash) != 0 ||
                         strcmp(meta.malformed, result.meta.malformed) != 0))
        abort();
    (void)payload_meta_peek(text, len / 2, text + len / 2, len - len / 2, &meta);
    (void)payload_meta_peek(text, len, text, len, &meta);
}

static void wrap(const char *data, size_t len, const char *hash, struct buf *out)
{
    buf_reset(out);
    buf_printf(out, "{\"height\": 7, \"block_hash\": \"%064d\", \"state_hash\": \"%s\"",
               1, hash);
    buf_puts(out, ", \"data\": ");
    buf_put(out, data, len);
    buf_puts(out, "}");
}

static void try_as_data(const char *text, size_t len)
{
    const struct json_limits limits = {
        .max_bytes = text_max, .max_nodes = text_max, .max_depth = 1000};
    CLEANUP(json_free) struct json_doc *doc = NULL;
    CLEANUP_BUF struct buf canon = BUF(16 * text_max), wrapped = BUF(32 * text_max);
    struct payload_result first, again;
    bool is_json;
    uint8_t hash[32];
    char hex[65] = "";
    struct err err;

    is_json = json_parse(text, len, &limits, &doc, &err) == ERR_OK;
    if (is_json)
        json_write(json_root(doc), JSON_SPACED, &canon);
    hash_sha256(canon.data ? canon.data : "", canon.len, hash);
    hex_encode(hash, 32, hex);
    wrap(text, len, hex, &wrapped);
    if (ingest(wrapped.data, wrapped.len, &first, &err) != ERR_OK) {
        if (is_json && err.reason == REASON_PAYLOAD_HASH_MISMATCH)
            abort();
        return;
    }
    if (!is_json || memcmp(first.state_hash, hash, 32) != 0)
        abort();
    wrap(canon.data, canon.len, hex, &wrapped);
    if (ingest(wrapped.data, wrapped.len, &again, &err) != ERR_OK ||
        memcmp(first.coins.state_root, again.coins.state_root, 32) != 0 ||
        first.unspent != again.unspent || first.spent != again.spent)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > text_max)
        return 0;
    make_dir();
    try_as_payload((const char *)data, size);
    try_as_data((const char *)data, size);
    return 0;
}
