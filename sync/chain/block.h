#ifndef SYNC_CHAIN_BLOCK_H
#define SYNC_CHAIN_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/coin.h"
#include "base/err.h"
#include "base/json.h"
#include "base/u128.h"
#include "sync/chain/header.h"
#include "sync/chain/params.h"

/*
 * A block as it came off the wire, read strictly.  block_decode settles everything that
 * needs no other block; block_check_signatures the expensive part of that (both for a
 * worker); connect.h what needs the coins.  A decoded block is immutable.
 *
 * A failure is either of the block (its hash commits to it: the block is invalid for
 * good) or of this copy (signatures, tx_type and metadata are not covered by the hash,
 * so a relay may have broken them: another peer may have a good copy).
 */
enum { BLOCK_BYTES_MAX = 2000000, BLOCK_TXS_MAX = 10000 };

enum tx_kind {
    TX_NORMAL,
    TX_COINBASE, /* sender COINBASE; heartbeats too */
};

struct tx {
    enum tx_kind kind;
    uint8_t txid[32];                  /* recomputed */
    char sender[COIN_ADDRESS_MAX + 1]; /* normalised */
    double amount, fee;                /* normalised */
    double timestamp;
    const struct outpoint *inputs;
    size_t input_count;
    const struct coin *outputs; /* at.txid, at.vout set; amounts truncated as stored */
    const double *output_amounts; /* as spelled, for the sufficiency sums */
    size_t output_count;
    const char *public_key, *signature; /* hex as given; "" when null */
};

struct block {
    struct header header;
    struct tx *txs;
    size_t tx_count;
    struct json_doc *doc; /* holds the texts */
    struct arena arena;   /* holds the rest */
};

/*
 * Reads and checks: form, size limits, header hash, txids recomputed and equal
 * (genesis: as given, and its coins equal to params'), merkle root, no duplicate txid,
 * a coinbase first, each transaction's addresses, amounts, type, no input twice in one.
 * What the hash commits to is judged only after the merkle root fits, so that a reason
 * tells whose fault it is.  text is copied.  ERR_VERIFY with the reason.
 */
enum errc block_decode(const char *text, size_t len, const struct chain_params *params,
                       struct block **out, struct err *err);
void block_free(struct block *b);
DEFINE_CLEANUP(struct block, block_free)

/* The miner's signature and every transfer's: ECDSA, low s, sender is the address of
   the key.  BLOCK_BAD_SIGNATURE or TX_BAD_SIGNATURE.  One verify a transfer. */
enum errc block_check_signatures(const struct block *b,
                                 const struct chain_params *params, struct err *err);

/* True when the failure may be this copy's and not the block's. */
bool block_copy_fault(enum reason reason);

/* Canonical text of a block for storing and serving: JSON_CANON of the document. */
void block_write(const struct block *b, struct buf *out);

#endif
