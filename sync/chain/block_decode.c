#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/chain/merkle.h"
#include "sync/chain/tx.h"

struct decoder {
    struct block *block;
    const struct json *root, *list; /* the block and its transactions */
    struct tx_context tx;
    size_t bytes; /* canonical, of the transactions */
};

#define FAIL(d, err, reason, what)             \
    err_fail(err, reason, "block %llu: " what, \
             (unsigned long long)(d)->block->header.height)

static enum errc in_transaction(const struct decoder *d, size_t i, struct err *err)
{
    return err_wrap(err, "block %llu, %zu", (unsigned long long)d->block->header.height,
                    i);
}

static bool is_genesis(const struct decoder *d)
{
    return d->block->header.height == 0;
}

static enum errc read_list(struct decoder *d, struct err *err)
{
    const struct json *miner = json_get(d->root, "miner");
    const char *text;

    d->list = json_get(d->root, "transactions");
    if (!d->list || d->list->type != JSON_ARRAY)
        return FAIL(d, err, REASON_BLOCK_MALFORMED, "no array of transactions");
    if (!miner || (miner->type != JSON_NULL && !json_text(miner, &text)))
        return FAIL(d, err, REASON_BLOCK_MALFORMED, "miner is no text");
    if (d->list->len > BLOCK_TXS_MAX)
        return FAIL(d, err, REASON_BLOCK_TOO_LARGE, "over 10000 transactions");
    d->block->tx_count = d->list->len;
    d->block->txs = arena_alloc(&d->block->arena, d->list->len, sizeof(struct tx));
    return ERR_OK;
}

/* Genesis' txids are those of its file; they do not recompute (protocol.md 7). */
static enum errc read_forms(struct decoder *d, struct err *err)
{
    size_t i = 0;

    for (const struct json *v = d->list->first; v; v = v->next, i++) {
        struct tx *tx = &d->block->txs[i];
        size_t bytes;

        if (tx_read_form(v, &bytes, err) != ERR_OK)
            return in_transaction(d, i, err);
        d->bytes += bytes;
        if (!json_text(tx_at(v, TX_PUBLIC_KEY), &tx->public_key))
            tx->public_key = "";
        if (!json_text(tx_at(v, TX_SIGNATURE), &tx->signature))
            tx->signature = "";
        if (is_genesis(d))
            (void)json_hash(tx_at(v, TX_TXID), tx->txid); /* the form says it is one */
        else
            tx_id(v, d->tx.params->chain_context, d->tx.scratch, tx->txid);
    }
    return ERR_OK;
}

/* Stock's size: the header's canonical text, the transactions', the miner's text, 8,
   and 4 a transaction. */
static enum errc check_size(const struct decoder *d, struct err *err)
{
    const struct json *miner = json_get(d->root, "miner");
    size_t bytes = d->bytes + miner->len + 8 + 4 * d->block->tx_count + 2;

    for (const struct json *v = d->root->first; v; v = v->next) {
        if (v == d->list || v == miner)
            continue;
        bytes += v->key_len + json_size(v) + 4; /* "":, */
    }
    if (bytes - 1 > BLOCK_BYTES_MAX)
        return FAIL(d, err, REASON_BLOCK_TOO_LARGE, "over 2000000 bytes");
    return ERR_OK;
}

static enum errc check_merkle_root(const struct decoder *d, struct err *err)
{
    struct merkle m;
    uint8_t root[32];
    char hex[MERKLE_DIGITS + 1];

    merkle_init(&m);
    for (size_t i = 0; i < d->block->tx_count; i++) {
        hex_encode(d->block->txs[i].txid, 32, hex);
        merkle_add(&m, hex);
    }
    merkle_finish(&m, root);
    if (memcmp(root, d->block->header.merkle_root, sizeof(root)) != 0)
        return FAIL(d, err, REASON_BLOCK_BAD_MERKLE_ROOT,
                    "the transactions do not give its merkle root");
    return ERR_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static enum errc check_txids(const struct decoder *d, struct err *err)
{
    size_t n = d->block->tx_count, i = 0;
    AUTOFREE uint8_t(*sorted)[32] = xcalloc(n + 1, sizeof(*sorted));
    uint8_t given[32];

    for (const struct json *v = d->list->first; v; v = v->next, i++) {
        memcpy(sorted[i], d->block->txs[i].txid, 32);
        if (!json_hash(tx_at(v, TX_TXID), given) || memcmp(given, sorted[i], 32) != 0)
            return FAIL(d, err, REASON_BLOCK_MALFORMED,
                        "a txid is not that of its transaction");
    }
    qsort(sorted, n, sizeof(*sorted), by_bytes);
    for (i = 1; i < n; i++)
        if (memcmp(sorted[i - 1], sorted[i], 32) == 0)
            return FAIL(d, err, REASON_BLOCK_DUPLICATE_TXID, "a txid twice");
    return ERR_OK;
}

static enum errc read_contents(struct decoder *d, struct err *err)
{
    size_t i = 0;

    for (const struct json *v = d->list->first; v; v = v->next, i++)
        if (tx_read_content(v, &d->tx, &d->block->txs[i], err) != ERR_OK)
            return in_transaction(d, i, err);
    if (i == 0 || d->block->txs[0].kind != TX_COINBASE)
        return FAIL(d, err, REASON_TX_MALFORMED,
                    "the first transaction is no coinbase");
    i = 0;
    for (const struct json *v = d->list->first; v; v = v->next, i++)
        if (tx_check_type(v, &d->block->txs[i], err) != ERR_OK)
            return in_transaction(d, i, err);
    return ERR_OK;
}

static bool is_same_coin(const struct coin *a, const struct coin *b)
{
    return outpoint_compare(&a->at, &b->at) == 0 && a->amount == b->amount &&
           strcmp(a->address, b->address) == 0;
}

static enum errc read_genesis(struct decoder *d, struct err *err)
{
    const struct chain_params *params = d->tx.params;
    size_t coins = 0, i = 0;

    if (memcmp(d->block->header.hash, params->genesis_hash, 32) != 0)
        return FAIL(d, err, REASON_BLOCK_BAD_LINK, "not this network's genesis");
    for (const struct json *v = d->list->first; v; v = v->next, i++) {
        struct tx *tx = &d->block->txs[i];

        tx->kind = TX_COINBASE;
        if (tx_read_outputs(v, &d->tx, tx, err) != ERR_OK)
            return in_transaction(d, i, err);
        for (size_t k = 0; k < tx->output_count; k++, coins++)
            if (coins >= params->genesis_coin_count ||
                !is_same_coin(&tx->outputs[k], &params->genesis_coins[coins]))
                return FAIL(d, err, REASON_BLOCK_MALFORMED, "not the genesis coins");
    }
    if (coins != params->genesis_coin_count)
        return FAIL(d, err, REASON_BLOCK_MALFORMED, "not the genesis coins");
    return ERR_OK;
}

static enum errc decode(struct decoder *d, struct err *err)
{
    enum errc rc = header_parse(d->root, &d->block->header, err);

    if (rc == ERR_OK)
        rc = read_list(d, err);
    if (rc == ERR_OK)
        rc = read_forms(d, err);
    if (rc == ERR_OK)
        rc = check_size(d, err);
    if (rc == ERR_OK)
        rc = check_merkle_root(d, err);
    if (rc == ERR_OK)
        rc = check_txids(d, err);
    if (rc == ERR_OK)
        rc = is_genesis(d) ? read_genesis(d, err) : read_contents(d, err);
    return rc;
}

enum errc block_decode(const char *text, size_t len, const struct chain_params *params,
                       struct block **out, struct err *err)
{
    CLEANUP(block_free) struct block *b = xcalloc(1, sizeof(*b));
    CLEANUP_BUF struct buf scratch = BUF(BLOCK_BYTES_MAX);
    struct decoder d = {.block = b};
    enum errc rc = json_parse(text, len, &JSON_LIMITS_BLOCK, &b->doc, err);

    if (rc != ERR_OK)
        return rc;
    d.root = json_root(b->doc);
    d.tx = (struct tx_context){params, &b->header, &b->arena, &scratch};
    rc = decode(&d, err);
    if (rc != ERR_OK)
        return rc;
    *out = TAKE(b);
    return ERR_OK;
}
