#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/peer/headers_wire.h"
#include "tests/bench/gen_block.h"
#include "tests/bench/measure.h"

/*
 * make_chain DIRECTORY HEIGHT: a chain of blocks with a coinbase each, all signed by
 * their miners, as files: params.json; blocks (a line each, from genesis up); heads (a
 * line each: height, hash, timestamp, where it begins in blocks); headers-LOW-COUNT,
 * answers of a Cairn, from the top down.
 *
 * make_chain DIRECTORY: seconds of one core that it takes to decode and check them all.
 */
enum { MINERS = 16 };

static struct gen_key miners[MINERS];

static FILE *open_in(const char *dir, const char *name, const char *mode)
{
    char path[512];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, mode);
    if (!f) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return f;
}

static void put(FILE *f, const struct buf *text)
{
    if (fwrite(text->data, 1, text->len, f) != text->len) {
        perror("write");
        exit(EXIT_FAILURE);
    }
}

static void done(FILE *f)
{
    if (fclose(f) != 0)
        exit(EXIT_FAILURE);
}

/* --- making --- */

static void write_params(const char *dir, const struct coin *coin,
                         const struct header *genesis)
{
    FILE *f = open_in(dir, "params.json", "wb");
    char txid[65], hash[65];

    hex_encode(coin->at.txid, 32, txid);
    hex_encode(genesis->hash, 32, hash);
    (void)fprintf(f,
                  "{\"network\": \"bench\", \"chain_context\": \"testnet\", "
                  "\"genesis_hash\": \"%s\", \"genesis_coins\": [{\"txid\": \"%s\", "
                  "\"vout\": 0, \"address\": \"%s\", \"amount\": %.1f}], "
                  "\"max_difficulty\": 4, \"min_difficulty_after_gap\": true}\n",
                  hash, txid, coin->address, coin->amount);
    done(f);
}

static struct header *make(const char *dir, uint64_t height)
{
    struct header *chain = xcalloc(height + 1, sizeof(*chain));
    FILE *blocks = open_in(dir, "blocks", "wb"), *heads = open_in(dir, "heads", "wb");
    uint64_t at = 0;

    for (uint64_t i = 0; i <= height; i++) {
        CLEANUP_BUF struct buf text = BUF(1U << 20);
        struct coin coin = {.amount = 12.0};
        struct gen_block b;
        char hash[65];

        (void)snprintf(coin.address, sizeof(coin.address), "%s",
                       miners[i % MINERS].address);
        gen_block_begin(&b, i > 0 ? &chain[i - 1] : NULL);
        gen_block_coinbase(&b, &coin, 1);
        b.miner = i > 0 ? &miners[i % MINERS] : NULL;
        gen_block_end(&b, &text);
        chain[i] = b.header;
        if (i == 0)
            write_params(dir, &coin, &chain[0]);
        buf_puts(&text, "\n");
        put(blocks, &text);
        hex_encode(chain[i].hash, 32, hash);
        (void)fprintf(heads, "%" PRIu64 " %s %.1f %" PRIu64 "\n", i, hash,
                      chain[i].timestamp, at);
        at += text.len;
    }
    done(blocks);
    done(heads);
    return chain;
}

static uint64_t low_of(uint64_t top)
{
    return top < HEADERS_WIRE_MAX ? 0 : top - HEADERS_WIRE_MAX + 1;
}

static void file_of(uint64_t top, char name[64])
{
    uint64_t low = low_of(top);

    (void)snprintf(name, 64, "headers-%" PRIu64 "-%" PRIu64, low, top - low + 1);
}

static void write_range(const char *dir, const struct header *chain, uint64_t top)
{
    CLEANUP_BUF struct buf out = BUF(HEADERS_WIRE_BYTES_MAX);
    struct headers_wire w;
    struct err err;
    char name[64];
    FILE *f;

    headers_wire_begin(&w, low_of(top), &out);
    for (uint64_t i = low_of(top); i <= top; i++)
        measure_must(headers_wire_add(&w, &chain[i], &out, &err), &err);
    headers_wire_end(&w, &out);
    file_of(top, name);
    f = open_in(dir, name, "wb");
    put(f, &out);
    done(f);
}

/* --- checking --- */

static uint64_t last_height(const char *dir)
{
    FILE *f = open_in(dir, "heads", "rb");
    uint64_t n = 0;

    for (int c; (c = fgetc(f)) != EOF;)
        n += c == '\n';
    (void)fclose(f);
    return n - 1;
}

static void read_range(const char *dir, uint64_t top, struct header *chain)
{
    AUTOFREE char *text = xcalloc(1, HEADERS_WIRE_BYTES_MAX);
    struct headers_wire_batch batch = {
        .from = low_of(top), .room = chain + low_of(top), .max = top - low_of(top) + 1};
    struct err err;
    char name[64];
    FILE *f;
    size_t len;

    file_of(top, name);
    f = open_in(dir, name, "rb");
    len = fread(text, 1, HEADERS_WIRE_BYTES_MAX, f);
    (void)fclose(f);
    measure_must(headers_wire_decode(text, len, &batch, &err), &err);
    if (batch.count != batch.max)
        exit(EXIT_FAILURE);
}

static void check(const char *dir)
{
    uint64_t height = last_height(dir);
    AUTOFREE struct header *chain = xcalloc(height + 1, sizeof(*chain));
    AUTOFREE struct header_window *w = xcalloc(1, sizeof(*w));
    struct chain_params params = *params_find("testnet");
    double start = measure_cpu();
    struct err err;

    for (uint64_t top = height;; top = low_of(top) - 1) {
        read_range(dir, top, chain);
        if (low_of(top) == 0)
            break;
    }
    memcpy(params.genesis_hash, chain[0].hash, 32);
    header_window_init(w, 0);
    for (uint64_t i = 0; i <= height; i++) {
        measure_must(header_check_signature(&chain[i], &err), &err);
        measure_must(header_check(&chain[i], w, &params, &err), &err);
        header_window_push(w, &chain[i]);
    }
    (void)printf("%.6f\n", measure_cpu() - start);
}

int main(int argc, char **argv)
{
    uint64_t height = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    AUTOFREE struct header *chain = NULL;

    if (argc == 2) {
        check(argv[1]);
        return EXIT_SUCCESS;
    }
    if (height == 0) {
        (void)fprintf(stderr, "usage: %s DIRECTORY [HEIGHT]\n", argv[0]);
        return 2;
    }
    for (uint64_t i = 0; i < MINERS; i++)
        gen_key_make(i, params_find("testnet"), &miners[i]);
    chain = make(argv[1], height);
    for (uint64_t top = height;; top = low_of(top) - 1) {
        write_range(argv[1], chain, top);
        if (low_of(top) == 0)
            break;
    }
    return EXIT_SUCCESS;
}
