#ifndef SYNC_CHAIN_TX_H
#define SYNC_CHAIN_TX_H

#include "base/buf.h"
#include "sync/chain/block.h"

/* Reading one transaction of a block, private to block.c, in three steps: what any copy
   must have, what the block's hash commits to, and what it does not. */
struct tx_context {
    const struct chain_params *params;
    const struct header *header;
    struct arena *arena;
    struct buf *scratch;
};

/* The members of a transaction in canonical order.  tx_at is for one whose form was
   read: it has these and no others. */
enum tx_key {
    TX_AMOUNT,
    TX_FEE,
    TX_INPUTS,
    TX_METADATA,
    TX_NONCE,
    TX_OUTPUTS,
    TX_PUBLIC_KEY,
    TX_RBF_ENABLED,
    TX_RECIPIENT,
    TX_REPLACES_TXID,
    TX_SENDER,
    TX_SIGNATURE,
    TX_TIMESTAMP,
    TX_TYPE,
    TX_TXID,
    TX_KEYS,
};

static inline const struct json *tx_at(const struct json *v, enum tx_key key)
{
    return v->sorted[key];
}

/* 6.2: over whatever stands in the eight fields; what can be normalised is. */
void tx_id(const struct json *v, const char *chain_context, struct buf *scratch,
           uint8_t out[32]);

/* The fifteen keys, the kind of those that are not hashed, sizes.  *canonical_bytes is
   the length of the canonical text.  BLOCK_MALFORMED or BLOCK_TOO_LARGE. */
enum errc tx_read_form(const struct json *v, size_t *canonical_bytes, struct err *err);

/* What txid covers, into out, whose txid is set.  TX_ reasons. */
enum errc tx_read_content(const struct json *v, const struct tx_context *ctx,
                          struct tx *out, struct err *err);

/* The outputs alone, any amounts and addresses. */
enum errc tx_read_outputs(const struct json *v, const struct tx_context *ctx,
                          struct tx *out, struct err *err);

/* tx_type, which any relay can change: TX_FORBIDDEN_TYPE. */
enum errc tx_check_type(const struct json *v, const struct tx *tx, struct err *err);

#endif
