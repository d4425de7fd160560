#ifndef SYNC_CHAIN_PARAMS_H
#define SYNC_CHAIN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/coin.h"
#include "base/err.h"

/*
 * What makes one XAI network different from another.  Constant after it was made; any
 * thread may read it.
 */
enum { GENESIS_COINS_MAX = 64 };

struct chain_params {
    char network[32];      /* name, "testnet", "mainnet" or an operator's own */
    char chain_context[8]; /* what txids carry: "testnet" or "mainnet" */
    char
        address_prefix[8]; /* "TXAI" or "XAI": what senders and recipients start with */
    uint8_t genesis_hash[32];
    /* The genesis txids do not recompute (protocol.md 7), so its coins are constants.
     */
    struct coin genesis_coins[GENESIS_COINS_MAX];
    size_t genesis_coin_count;
    bool min_difficulty_after_gap; /* 3.3 rule 1: difficulty 1 after 1200 s; not mainnet
                                    */
    uint32_t max_difficulty;       /* 3.3 rule 5: 4 with fast mining; 0: no cap */
    bool p2p_tls; /* 9.1: P2P is TLS; plain, with stock's leniencies, on testnet */
};

/* A built-in network by name; NULL if there is none. */
const struct chain_params *params_find(const char *name);

/*
 * Parameters from the text of a JSON file: {"network", "chain_context":
 * "testnet"|"mainnet", "genesis_hash", "genesis_coins": [{txid, vout, address,
 * amount}], "max_difficulty", "min_difficulty_after_gap", "p2p_tls"}; all but the last
 * are required, unknown keys are errors.  chain_context gives the address prefix, and
 * p2p_tls where nothing is said.  ERR_INVALID names the field.
 */
enum errc params_parse(const char *text, size_t len, struct chain_params *out,
                       struct err *err);

#endif
