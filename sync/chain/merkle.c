#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "sync/chain/merkle.h"

void merkle_init(struct merkle *m)
{
    m->count = 0;
}

static void join(const char *left, const char *right, char out[MERKLE_DIGITS])
{
    char both[2 * MERKLE_DIGITS + 1];
    uint8_t hash[32];

    memcpy(both, left, MERKLE_DIGITS);
    memcpy(both + MERKLE_DIGITS, right, MERKLE_DIGITS);
    hash_sha256(both, sizeof(both) - 1, hash);
    hex_encode(hash, sizeof(hash), both);
    memcpy(out, both, MERKLE_DIGITS);
}

void merkle_add(struct merkle *m, const char leaf[MERKLE_DIGITS])
{
    char node[MERKLE_DIGITS];
    unsigned level = 0;

    memcpy(node, leaf, sizeof(node));
    for (uint64_t n = m->count; n & 1; n >>= 1, level++)
        join(m->node[level], node, node);
    memcpy(m->node[level], node, sizeof(node));
    m->count++;
}

/*
 * Works up the right edge, where n nodes stand on a level and edge is the last: it has
 * a left neighbour, or else is its own.
 */
void merkle_finish(const struct merkle *m, uint8_t out[32])
{
    char edge[MERKLE_DIGITS];
    uint64_t n = m->count;
    unsigned level = 0;

    if (n == 0) {
        hash_sha256("", 0, out);
        return;
    }
    while (!(n & 1)) {
        n >>= 1;
        level++;
    }
    memcpy(edge, m->node[level], sizeof(edge));
    while (n > 1) {
        join(n & 1 ? edge : m->node[level], edge, edge);
        n = (n + 1) >> 1;
        level++;
    }
    if (!hex_decode(edge, 32, false, out))
        abort(); /* a leaf that is no hash is our bug */
}

void merkle_root(const char *txids, size_t n, uint8_t out[32])
{
    struct merkle m;

    merkle_init(&m);
    for (size_t i = 0; i < n; i++)
        merkle_add(&m, txids + i * MERKLE_DIGITS);
    merkle_finish(&m, out);
}
