#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "tests/bench/gen_block.h"
#include "tests/bench/gen_payload.h"
#include "tests/bench/measure.h"

/*
 * make_network DIRECTORY COINS: a network of its own whose proven chain makes that many
 * coins, and its checkpoint, as files: params.json, one a block (0, 1, ...), heads (a
 * line a block: height, hash, timestamp), payload.json.  Blocks are full of coinbases
 * of a thousand outputs, the fewest that have so many coins.
 */
enum { OUTPUTS = 1000, COINBASES = 24, CONFIRMATIONS = 7 };

static const char genesis_owner[] = "TXAI0000000000000000000000000000000000000000";

struct network {
    const char *dir;
    FILE *heads;
    struct header tip;
    struct gen_payload *payload;
    uint64_t made, coins; /* so far, and in the end */
};

static FILE *create(const struct network *n, const char *name)
{
    char path[512];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", n->dir, name);
    f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return f;
}

static void finish(struct network *n, struct gen_block *b)
{
    CLEANUP_BUF struct buf text = BUF(4U << 20);
    char name[24], hash[65];
    FILE *f;

    gen_block_end(b, &text);
    n->tip = b->header;
    hex_encode(n->tip.hash, 32, hash);
    (void)snprintf(name, sizeof(name), "%llu", (unsigned long long)n->tip.height);
    (void)fprintf(n->heads, "%s %s %.1f\n", name, hash, n->tip.timestamp);
    f = create(n, name);
    if (fwrite(text.data, 1, text.len, f) != text.len || fclose(f) != 0)
        exit(EXIT_FAILURE);
}

static void make_genesis(struct network *n)
{
    struct coin coin = {.amount = 1000.0};
    struct gen_block b;
    char txid[65], hash[65];
    FILE *f = create(n, "params.json");

    memcpy(coin.address, genesis_owner, sizeof(genesis_owner));
    gen_block_begin(&b, NULL);
    gen_block_coinbase(&b, &coin, 1);
    finish(n, &b);
    gen_payload_add(n->payload, &coin);
    hex_encode(coin.at.txid, 32, txid);
    hex_encode(n->tip.hash, 32, hash);
    (void)fprintf(f,
                  "{\"network\": \"bench\", \"chain_context\": \"testnet\", "
                  "\"genesis_hash\": \"%s\", \"genesis_coins\": [{\"txid\": \"%s\", "
                  "\"vout\": 0, \"address\": \"%s\", \"amount\": 1000.0}], "
                  "\"max_difficulty\": 4, \"min_difficulty_after_gap\": true}\n",
                  hash, txid, genesis_owner);
    (void)fclose(f);
}

static void make_coins(struct network *n, struct gen_block *b)
{
    AUTOFREE struct coin *coins = xcalloc(OUTPUTS, sizeof(*coins));
    size_t count = 0;

    for (; count < OUTPUTS && n->made < n->coins; count++)
        coins[count] = gen_payload_coin(n->made++, n->coins);
    gen_block_coinbase(b, coins, count);
    for (size_t i = 0; i < count; i++)
        gen_payload_add(n->payload, &coins[i]);
}

static void make_block(struct network *n)
{
    struct gen_block b;

    gen_block_begin(&b, &n->tip);
    for (size_t i = 0; i < COINBASES && n->made < n->coins; i++)
        make_coins(n, &b);
    finish(n, &b);
}

static void confirm(struct network *n)
{
    for (size_t i = 0; i < CONFIRMATIONS; i++) {
        struct coin coin = {.amount = 12.0};
        struct gen_block b;

        memcpy(coin.address, genesis_owner, sizeof(genesis_owner));
        gen_block_begin(&b, &n->tip);
        gen_block_coinbase(&b, &coin, 1);
        finish(n, &b);
    }
}

int main(int argc, char **argv)
{
    struct network n = {.dir = argc == 3 ? argv[1] : NULL};
    const u128 genesis = (u128)1000 * 1000000000000000000U;
    char path[512];

    if (argc != 3 || (n.coins = strtoull(argv[2], NULL, 10)) == 0) {
        (void)fprintf(stderr, "usage: %s DIRECTORY COINS\n", argv[0]);
        return 2;
    }
    (void)snprintf(path, sizeof(path), "%s/payload.json", n.dir);
    n.heads = create(&n, "heads");
    n.payload =
        gen_payload_create(path, n.coins + 1, genesis + gen_payload_total(n.coins));
    make_genesis(&n);
    while (n.made < n.coins)
        make_block(&n);
    (void)gen_payload_finish(n.payload, n.tip.height, n.tip.hash);
    confirm(&n);
    return fclose(n.heads) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
