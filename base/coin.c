#include <string.h>

#include "base/coin.h"

int outpoint_compare(const struct outpoint *a, const struct outpoint *b)
{
    int order = memcmp(a->txid, b->txid, sizeof(a->txid));

    if (order != 0)
        return order;
    return a->vout < b->vout ? -1 : a->vout > b->vout;
}
