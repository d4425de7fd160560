#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/chain/address.h"
#include "sync/chain/ecdsa.h"
#include "sync/chain/tx.h"

void block_free(struct block *b)
{
    if (!b)
        return;
    json_free(b->doc);
    arena_fini(&b->arena);
    free(b);
}

void block_write(const struct block *b, struct buf *out)
{
    json_write(json_root(b->doc), JSON_CANON, out);
}

/* Its sender is a spendable address: block_decode saw to that. */
static bool is_signed(const struct tx *tx, const struct chain_params *params)
{
    char message[65];
    uint8_t key[64];

    if (strlen(tx->public_key) != 2 * sizeof(key) ||
        !hex_decode(tx->public_key, sizeof(key), false, key) ||
        !address_is_of_key(tx->sender, key, params))
        return false;
    hex_encode(tx->txid, sizeof(tx->txid), message);
    return ecdsa_check_raw(key, tx->signature, message, 64);
}

enum errc block_check_signatures(const struct block *b,
                                 const struct chain_params *params, struct err *err)
{
    if (header_check_signature(&b->header, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < b->tx_count; i++)
        if (b->txs[i].kind == TX_NORMAL && !is_signed(&b->txs[i], params))
            return err_fail(err, REASON_TX_BAD_SIGNATURE,
                            "block %llu transaction %zu: not signed by its sender",
                            (unsigned long long)b->header.height, i);
    return ERR_OK;
}

/*
 * The hash commits to the header's fields and, by the merkle root, to the content of
 * each transaction.  It does not commit to signatures, keys, tx_type, metadata and the
 * spelling, nor to a repeated end of the list of transactions, which gives the same
 * root. The size limits count some of that.
 */
bool block_copy_fault(enum reason reason)
{
    return reason == REASON_BLOCK_MALFORMED || reason == REASON_BLOCK_HASH_MISMATCH ||
           reason == REASON_BLOCK_BAD_MERKLE_ROOT ||
           reason == REASON_BLOCK_BAD_SIGNATURE || reason == REASON_TX_BAD_SIGNATURE ||
           reason == REASON_TX_FORBIDDEN_TYPE || reason == REASON_BLOCK_TOO_LARGE ||
           reason == REASON_BLOCK_DUPLICATE_TXID;
}
