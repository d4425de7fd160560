#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/pyfloat.h"
#include "sync/chain/merkle.h"
#include "sync/chain/unspent.h"

/* Text order of "<txid>:<vout>:...": ':' sorts after the digits, so 1 comes after 10.
 */
static int by_text(const void *a, const void *b)
{
    const struct coin *x = a, *y = b;
    char x_vout[16], y_vout[16];
    int order = memcmp(x->at.txid, y->at.txid, sizeof(x->at.txid));

    if (order != 0)
        return order;
    (void)snprintf(x_vout, sizeof(x_vout), "%u:", x->at.vout);
    (void)snprintf(y_vout, sizeof(y_vout), "%u:", y->at.vout);
    return strcmp(x_vout, y_vout);
}

static void add_coin(struct merkle *m, const struct coin *c)
{
    char text[64 + COIN_ADDRESS_MAX + PYFLOAT_TEXT + 16], amount[PYFLOAT_TEXT], hex[65];
    uint8_t hash[32];
    int len;

    hex_encode(c->at.txid, sizeof(c->at.txid), hex);
    (void)pyfloat_repr(c->amount, amount);
    len = snprintf(text, sizeof(text), "%s:%u:%s:%s", hex, c->at.vout, c->address,
                   amount);
    hash_sha256(text, (size_t)len, hash);
    hex_encode(hash, sizeof(hash), hex);
    merkle_add(m, hex);
}

void unspent_root(struct coin *coins, size_t n, uint8_t out[32])
{
    struct merkle m;

    if (n > 0)
        qsort(coins, n, sizeof(*coins), by_text);
    merkle_init(&m);
    for (size_t i = 0; i < n; i++)
        add_coin(&m, &coins[i]);
    merkle_finish(&m, out);
}
