#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/pyfloat.h"
#include "tests/bench/gen_payload.h"

enum { BUFFER = 1 << 20, ENTRY_MAX = 1024, COINS_PER_ADDRESS = 4 };

/* Where block_hash and state_hash stand, which are known at the end. */
static const char head[] = "{\"height\": %20llu, \"block_hash\": \"%s\", "
                           "\"state_hash\": \"%s\", \"data\": ";

struct gen_payload {
    int fd;
    struct hasher *hasher;
    uint64_t bytes, head_bytes;
    size_t used, hashed; /* of text: what is in it, and hashed */
    bool any;
    char owner[COIN_ADDRESS_MAX + 1];
    char text[BUFFER + ENTRY_MAX];
};

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void flush(struct gen_payload *g)
{
    hasher_add(g->hasher, g->text + g->hashed, g->used - g->hashed);
    if (write(g->fd, g->text, g->used) != (ssize_t)g->used)
        die("payload");
    g->bytes += g->used;
    g->used = g->hashed = 0;
}

static void put(struct gen_payload *g, const char *text, size_t len)
{
    memcpy(g->text + g->used, text, len);
    g->used += len;
}

#define PUT_LITERAL(g, literal) put(g, literal, sizeof(literal) - 1)

static size_t write_head(uint64_t height, const uint8_t block[32],
                         const uint8_t state[32], char out[ENTRY_MAX])
{
    char block_hex[65], state_hex[65];

    hex_encode(block, 32, block_hex);
    hex_encode(state, 32, state_hex);
    return (size_t)snprintf(out, ENTRY_MAX, head, (unsigned long long)height, block_hex,
                            state_hex);
}

struct gen_payload *gen_payload_create(const char *path, uint64_t coins, u128 total)
{
    struct gen_payload *g = xcalloc(1, sizeof(*g));
    const uint8_t zero[32] = {0};
    char value[PYFLOAT_TEXT];

    g->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (g->fd < 0)
        die(path);
    g->hasher = hasher_create();
    g->used = g->hashed = g->head_bytes = write_head(0, zero, zero, g->text);
    (void)pyfloat_repr((double)total / 1e18, value);
    g->used += (size_t)snprintf(g->text + g->used, ENTRY_MAX,
                                "{\"utxo_snapshot\": {\"total_utxos\": %llu, "
                                "\"total_value\": %s, \"utxo_set\": {",
                                (unsigned long long)coins, value);
    return g;
}

static void begin_entry(struct gen_payload *g, const char *address, size_t len)
{
    if (g->any && strcmp(g->owner, address) == 0) {
        PUT_LITERAL(g, ", ");
        return;
    }
    if (g->any)
        PUT_LITERAL(g, "], ");
    PUT_LITERAL(g, "\"");
    put(g, address, len);
    PUT_LITERAL(g, "\": [");
    memcpy(g->owner, address, len + 1);
    g->any = true;
}

void gen_payload_add(struct gen_payload *g, const struct coin *coin)
{
    size_t len = strlen(coin->address);
    char txid[65];

    begin_entry(g, coin->address, len);
    PUT_LITERAL(g, "{\"address\": \"");
    put(g, coin->address, len);
    PUT_LITERAL(g, "\", \"amount\": ");
    g->used += pyfloat_repr(coin->amount, g->text + g->used);
    PUT_LITERAL(g, ", \"script_pubkey\": \"P2PKH ");
    put(g, coin->address, len);
    PUT_LITERAL(g, "\", \"spent\": false, \"txid\": \"");
    hex_encode(coin->at.txid, 32, txid);
    put(g, txid, 64);
    PUT_LITERAL(g, "\", \"vout\": ");
    g->used += (size_t)snprintf(g->text + g->used, 16, "%u}", coin->at.vout);
    if (g->used >= BUFFER)
        flush(g);
}

uint64_t gen_payload_finish(struct gen_payload *g, uint64_t height,
                            const uint8_t block_hash[32])
{
    uint8_t state_hash[32];
    uint64_t bytes;
    size_t len;

    if (g->any)
        PUT_LITERAL(g, "]");
    PUT_LITERAL(g, "}}}");
    flush(g);
    hasher_finish(g->hasher, state_hash);
    PUT_LITERAL(g, "}");
    flush(g);
    len = write_head(height, block_hash, state_hash, g->text);
    if (pwrite(g->fd, g->text, len, 0) != (ssize_t)len || close(g->fd) != 0)
        die("payload");
    bytes = g->bytes;
    hasher_free(g->hasher);
    free(g);
    return bytes;
}

/* Small enough for a block to mint some twenty thousand. */
static double amount_of(uint64_t i)
{
    return (double)(100 + i % 400) / 1e6;
}

struct coin gen_payload_coin(uint64_t i, uint64_t n)
{
    uint64_t first = i / COINS_PER_ADDRESS * COINS_PER_ADDRESS,
             place = UINT64_MAX / n * first;
    struct coin coin = {.amount = amount_of(i)};
    uint8_t body[32];

    hash_sha256(&first, sizeof(first), body);
    for (size_t k = 0; k < 8; k++)
        body[k] = (uint8_t)(place >> (56 - 8 * k));
    memcpy(coin.address, "TXAI", 4);
    hex_encode(body, 20, coin.address + 4);
    return coin;
}

u128 gen_payload_total(uint64_t n)
{
    u128 sum = 0, amount;

    for (uint64_t i = 0; i < n; i++) {
        (void)u128_from_amount(amount_of(i), &amount);
        sum += amount;
    }
    return sum;
}
