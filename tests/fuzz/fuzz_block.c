/*
 * A decoded block, written canonically, is the same block; one that connects to nothing
 * spends nothing.  Each input is tried as it is and with its ids, merkle root and hash
 * made right, or hardly any would get behind them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "sync/chain/connect.h"
#include "sync/chain/merkle.h"
#include "sync/chain/tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool find_none(void *arg, const struct outpoint *at, struct coin *out,
                      struct err *err)
{
    (void)arg;
    (void)at;
    (void)out;
    (void)err;
    return false;
}

static void check_rewritten(const struct block *b, const struct chain_params *params)
{
    CLEANUP_BUF struct buf text = BUF(16U << 20), again = BUF(16U << 20);
    CLEANUP(block_free) struct block *copy = NULL;
    struct err err;

    block_write(b, &text);
    require(!text.full);
    require(block_decode(text.data, text.len, params, &copy, &err) == ERR_OK);
    require(memcmp(copy->header.hash, b->header.hash, 32) == 0);
    require(copy->tx_count == b->tx_count);
    for (size_t i = 0; i < b->tx_count; i++) {
        require(memcmp(copy->txs[i].txid, b->txs[i].txid, 32) == 0);
        require(copy->txs[i].output_count == b->txs[i].output_count);
    }
    block_write(copy, &again);
    require(again.len == text.len && memcmp(again.data, text.data, text.len) == 0);
}

static void check_connect(const struct block *b, const struct chain_params *params)
{
    const struct connect_view nothing = {.find = find_none};
    struct connect_changes changes = {0};
    struct err err = {0};

    if (connect_block(b, params, &nothing, &changes, &err) != ERR_OK) {
        require(err.reason != REASON_NONE && changes.made == NULL);
        return;
    }
    require(changes.spent_count == 0 && changes.supply == changes.minted);
    connect_changes_fini(&changes);
}

static void put_hash(const uint8_t hash[32], struct buf *out)
{
    char hex[65];

    hex_encode(hash, 32, hex);
    buf_printf(out, "\"%s\"", hex);
}

static bool is_part(const struct json *m, const char *key)
{
    return m->key_len == strlen(key) && memcmp(m->key, key, m->key_len) == 0;
}

/* The object with one member set. */
static void put_with(const struct json *v, const char *key, const uint8_t hash[32],
                     struct buf *out)
{
    buf_puts(out, "{");
    for (const struct json *m = v->first; m; m = m->next) {
        if (is_part(m, key))
            continue;
        json_write_string(m->key, m->key_len, out);
        buf_puts(out, ":");
        json_write(m, JSON_CANON, out);
        buf_puts(out, ",");
    }
    buf_printf(out, "\"%s\":", key);
    put_hash(hash, out);
    buf_puts(out, "}");
}

static bool is_hashable(const struct json *tx)
{
    static const char *const keys[] = {"amount",  "fee",       "inputs", "nonce",
                                       "outputs", "recipient", "sender", "timestamp"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (!json_get(tx, keys[i]))
            return false;
    return true;
}

/* The transactions with right ids, and the root over them; false if it cannot be. */
static bool put_transactions(const struct json *list, struct buf *out, uint8_t root[32])
{
    CLEANUP_BUF struct buf scratch = BUF(16U << 20);
    struct merkle m;

    merkle_init(&m);
    buf_puts(out, "[");
    for (const struct json *v = list->first; v; v = v->next) {
        uint8_t id[32];
        char hex[65];

        if (!is_hashable(v))
            return false;
        tx_id(v, "testnet", &scratch, id);
        hex_encode(id, 32, hex);
        merkle_add(&m, hex);
        put_with(v, "txid", id, out);
        buf_puts(out, v->next ? "," : "");
    }
    buf_puts(out, "]");
    merkle_finish(&m, root);
    return true;
}

static bool put_block(const struct json *v, struct buf *out)
{
    uint8_t root[32] = {0};

    if (v->type != JSON_OBJECT || !json_get(v, "transactions") ||
        json_get(v, "transactions")->type != JSON_ARRAY)
        return false;
    buf_puts(out, "{\"transactions\":");
    if (!put_transactions(json_get(v, "transactions"), out, root))
        return false;
    for (const struct json *m = v->first; m; m = m->next) {
        if (is_part(m, "transactions") || is_part(m, "merkle_root") ||
            is_part(m, "hash"))
            continue;
        buf_puts(out, ",");
        json_write_string(m->key, m->key_len, out);
        buf_puts(out, ":");
        json_write(m, JSON_CANON, out);
    }
    buf_puts(out, ",\"merkle_root\":");
    put_hash(root, out);
    buf_puts(out, "}");
    return !out->full;
}

static bool header_fields(const struct json *v, struct header *h)
{
    return json_u64(json_get(v, "index"), &h->height) &&
           json_hash(json_get(v, "previous_hash"), h->prev) &&
           json_hash(json_get(v, "merkle_root"), h->merkle_root) &&
           json_double(json_get(v, "timestamp"), &h->timestamp) &&
           json_u64(json_get(v, "nonce"), &h->nonce);
}

static void try_repaired(const char *text, size_t len,
                         const struct chain_params *params)
{
    CLEANUP_BUF struct buf body = BUF(16U << 20), whole = BUF(16U << 20);
    CLEANUP(json_free) struct json_doc *doc = NULL, *fixed = NULL;
    CLEANUP(block_free) struct block *b = NULL;
    struct header h = {0};
    uint64_t difficulty;
    struct err err;

    if (json_parse(text, len, &JSON_LIMITS_BLOCK, &doc, &err) != ERR_OK ||
        !put_block(json_root(doc), &body) ||
        json_parse(body.data, body.len, &JSON_LIMITS_BLOCK, &fixed, &err) != ERR_OK ||
        !header_fields(json_root(fixed), &h) ||
        !json_u64(json_get(json_root(fixed), "difficulty"), &difficulty))
        return;
    h.difficulty = (uint32_t)difficulty;
    h.has_version = json_u64(json_get(json_root(fixed), "version"), &h.version);
    header_hash(&h, h.hash);
    put_with(json_root(fixed), "hash", h.hash, &whole);
    if (block_decode(whole.data, whole.len, params, &b, &err) != ERR_OK)
        return;
    check_rewritten(b, params);
    check_connect(b, params);
}

/* Canonical text is the same from a text that is canonical and from one that is not. */
static void check_spelling(const char *text, size_t len)
{
    CLEANUP_BUF struct buf canon = BUF(64U << 20), spaced = BUF(64U << 20),
                           again = BUF(64U << 20);
    const struct json_limits limits = {64U << 20, 1U << 20, 64};
    CLEANUP(json_free) struct json_doc *doc = NULL, *fast = NULL, *slow = NULL;
    struct err err;

    if (json_parse(text, len, &JSON_LIMITS_BLOCK, &doc, &err) != ERR_OK)
        return;
    json_write(json_root(doc), JSON_CANON, &canon);
    json_write(json_root(doc), JSON_SPACED, &spaced);
    require(json_size(json_root(doc)) == canon.len);
    require(json_parse(canon.data, canon.len, &limits, &fast, &err) == ERR_OK);
    require(json_parse(spaced.data, spaced.len, &limits, &slow, &err) == ERR_OK);
    json_write(json_root(fast), JSON_CANON, &again);
    require(again.len == canon.len && memcmp(again.data, canon.data, canon.len) == 0);
    buf_reset(&again);
    json_write(json_root(slow), JSON_CANON, &again);
    require(again.len == canon.len && memcmp(again.data, canon.data, canon.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct chain_params *params = params_find("testnet");
    struct block *b = NULL;
    struct err err = {0};

    check_spelling((const char *)data, size);
    try_repaired((const char *)data, size, params);
    if (block_decode((const char *)data, size, params, &b, &err) != ERR_OK) {
        require(b == NULL && err.reason != REASON_NONE && err.msg[0] != '\0');
        return 0;
    }
    check_rewritten(b, params);
    check_connect(b, params);
    block_free(b);
    return 0;
}
