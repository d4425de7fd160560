#include <string.h>

#include "sync/chain/params.h"

/* A hash as four big-endian words. */
#define WORD(w)                                                           \
    (uint8_t)((w) >> 56), (uint8_t)((w) >> 48), (uint8_t)((w) >> 40),     \
        (uint8_t)((w) >> 32), (uint8_t)((w) >> 24), (uint8_t)((w) >> 16), \
        (uint8_t)((w) >> 8), (uint8_t)(w)
#define HASH(a, b, c, d)                                                           \
    {                                                                              \
        WORD(UINT64_C(a)), WORD(UINT64_C(b)), WORD(UINT64_C(c)), WORD(UINT64_C(d)) \
    }
#define COIN(xai, owner, a, b, c, d)                                        \
    {                                                                       \
        .at = {.txid = HASH(a, b, c, d)}, .amount = (xai), .address = owner \
    }

/* Both networks of the reference implementation start from one genesis file. */
#define GENESIS_HASH \
    HASH(0x00000f06df2a6e72, 0x4b10e28a4b822845, 0x1e4898cc5ea7a559, 0x0faa0c075facc44b)
/* clang-format off */
#define GENESIS_COINS { \
    COIN(2500000.0, "XAI6b7c3bb643c795f43e5c461f275e658b56566613", 0xc807ba40dd6c92e0, 0xe90ca2662b38c9eb, 0x4742bf156eb56a15, 0xeaec961ab2a72a14), \
    COIN(9600000.0, "XAIc4ca02afec916ec543c63805c245067d708afe27", 0x97161e09611008a1, 0xb0349689b09488ef, 0x0f999f76817d81d7, 0x9dd818a33f7ced64), \
    COIN(6050000.0, "XAI5096fed228eecc015025dd0d99848ce55b8209bc", 0xec8fe7a475da9b05, 0x253c11224685c5e6, 0x2e27c1232770725c, 0xd5780c248c4ed90d), \
    COIN(6050000.0, "XAI8566b2923f79b74e001af47c95b07870cb0eac6e", 0x52f29bae1e18160e, 0x4fbc65fb4ad2c894, 0x3ce7e80dab2da235, 0x9edb234a6526d355), \
    COIN(36300000.0, "XAI42a435dc9ebe3b802e861d97b05ba43545271199", 0x7278ad2158e71375, 0x4f99e8e1d5c8ba65, 0x7c68808f5e1d3894, 0x0c35a30fb85c3985), \
    COIN(1000000.0, "TXAI16DD08D178D436BbFAE02957F20a3d333627EAfF", 0x8ff92fc16a9db4ab, 0x35d7682914240dd9, 0x12e1f82d2ed4a53f, 0x013445879fa66683) \
}
/* clang-format on */

static const struct chain_params builtin[] = {
    {
        .network = "testnet",
        .chain_context = "testnet",
        .address_prefix = "TXAI",
        .genesis_hash = GENESIS_HASH,
        .genesis_coins = GENESIS_COINS,
        .genesis_coin_count = 6,
        .min_difficulty_after_gap = true,
        .max_difficulty = 4,
    },
    {
        .network = "mainnet",
        .chain_context = "mainnet",
        .address_prefix = "XAI",
        .genesis_hash = GENESIS_HASH,
        .genesis_coins = GENESIS_COINS,
        .genesis_coin_count = 6,
        .p2p_tls = true,
    },
};

const struct chain_params *params_find(const char *name)
{
    for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
        if (strcmp(builtin[i].network, name) == 0)
            return &builtin[i];
    return NULL;
}
