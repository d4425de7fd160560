#ifndef TESTS_BENCH_GEN_BLOCK_H
#define TESTS_BENCH_GEN_BLOCK_H

#include "base/buf.h"
#include "base/coin.h"
#include "sync/chain/block.h"

/*
 * Valid blocks of any content, as stock serves them: each stands on the one before it,
 * with proof of work of difficulty 1.  One thread; any failure ends the program.
 */
struct gen_key;

struct gen_block {
    struct header header;
    const struct gen_key *miner; /* who signs it; NULL: nobody */
    struct buf text;             /* of the transactions, with commas between */
    char *txids;                 /* 64 digits each */
    size_t count, cap;
};

/* parent NULL: a genesis block. */
void gen_block_begin(struct gen_block *b, const struct header *parent);
/* Mines it and appends the whole text to out.  Then b->header is whole. */
void gen_block_end(struct gen_block *b, struct buf *out);

/* n outputs of one coinbase; sets their at.  Their sum is what it mints. */
void gen_block_coinbase(struct gen_block *b, struct coin *outputs, size_t n);

/* A signer's key by number: its address, and how it pays. */
struct gen_key {
    uint8_t secret[32];
    char public_hex[129], address[COIN_ADDRESS_MAX + 1];
};
void gen_key_make(uint64_t number, const struct chain_params *params,
                  struct gen_key *out);

/* Spends in, signed by its owner, half to `to` and the rest less a fee back. */
void gen_block_transfer(struct gen_block *b, const struct gen_key *owner,
                        const struct coin *in, const char *to);

#endif
