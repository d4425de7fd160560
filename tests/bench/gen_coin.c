#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "tests/bench/gen_coin.h"

struct coin gen_coin(uint64_t i, uint64_t n)
{
    struct coin coin = {.amount = (double)(i % 100000) / 100.0, .at.vout = i % 2};
    uint64_t key = UINT64_MAX / n * i;
    uint8_t random[32];

    hash_sha256(&i, sizeof(i), random);
    memcpy(coin.at.txid, random, 32);
    for (int k = 0; k < 8; k++)
        coin.at.txid[k] = (uint8_t)(key >> (56 - 8 * k));
    memcpy(coin.address, "TXAI", 4);
    hex_encode(random, 20, coin.address + 4);
    hash_address_case(coin.address + 4);
    return coin;
}
