#ifndef SYNC_CHAIN_MERKLE_H
#define SYNC_CHAIN_MERKLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The chain's tree (protocol.md 5.2): a node is SHA-256 of the two hex texts below it,
 * an odd level repeats its last node, one leaf is the root, and none gives SHA-256 of
 * nothing.  Leaves are added one by one in bounded memory.
 */
enum { MERKLE_DIGITS = 64, MERKLE_LEVELS = 64 };

struct merkle {
    uint64_t count;
    char node[MERKLE_LEVELS]
             [MERKLE_DIGITS]; /* full left subtree per set bit of count */
};

void merkle_init(struct merkle *m);
void merkle_add(struct merkle *m, const char leaf[MERKLE_DIGITS]);
void merkle_finish(const struct merkle *m, uint8_t out[32]);

/* Over n texts of 64 digits (concatenated, 64 * n bytes). */
void merkle_root(const char *txids, size_t n, uint8_t out[32]);

#endif
