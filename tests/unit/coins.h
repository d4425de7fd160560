#ifndef TESTS_UNIT_COINS_H
#define TESTS_UNIT_COINS_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/coinfile.h"
#include "tests/unit/test.h"

/* Synthetic coins, and a directory with a coin file, for tests of the store. */

static inline void coins_address(const uint8_t random[32],
                                 char out[COIN_ADDRESS_MAX + 1])
{
    const char *prefix = random[0] % 2 ? "TXAI" : "XAI";
    size_t n = strlen(prefix);

    switch (random[1] % 8) {
    case 0: /* one that has no short form */
        memset(out, 'a' + random[2] % 26, COIN_ADDRESS_MAX);
        out[1 + random[3] % COIN_ADDRESS_MAX] = '\0';
        return;
    case 1: /* prefix and digits, but not in checksum case */
        memcpy(out, prefix, n);
        hex_encode(random + 4, 20, out + n);
        return;
    default:
        memcpy(out, prefix, n);
        hex_encode(random + 4, 20, out + n);
        hash_address_case(out + n);
    }
}

/* Coin i of a seed.  Its txid is a hash, so they come in no order. */
static inline struct coin coins_make(uint32_t seed, uint32_t i)
{
    struct coin coin = {.at.vout = i % 3};
    uint32_t source[2] = {seed, i / 3};
    uint8_t random[32];

    hash_sha256(source, sizeof(source), coin.at.txid);
    source[1] = ~i;
    hash_sha256(source, sizeof(source), random);
    coin.amount =
        (random[31] % 16 == 0) ? 0.0 : (random[30] * 256 + random[29]) / 100.0;
    coins_address(random, coin.address);
    return coin;
}

static inline int coins_compare(const void *a, const void *b)
{
    const struct coin *x = a, *y = b;

    return outpoint_compare(&x->at, &y->at);
}

/* Sorted; the caller's to free. */
static inline struct coin *coins_many(uint32_t seed, uint32_t n)
{
    struct coin *coins = xcalloc((size_t)n + 1, sizeof(*coins));

    for (uint32_t i = 0; i < n; i++)
        coins[i] = coins_make(seed, i);
    qsort(coins, n, sizeof(*coins), coins_compare);
    return coins;
}

static inline bool coins_same(const struct coin *a, const struct coin *b)
{
    return outpoint_compare(&a->at, &b->at) == 0 &&
           memcmp(&a->amount, &b->amount, sizeof(a->amount)) == 0 &&
           strcmp(a->address, b->address) == 0;
}

static inline u128 coins_sum(const struct coin *coins, uint32_t n)
{
    u128 sum = 0, atto;

    for (uint32_t i = 0; i < n; i++)
        if (u128_from_amount(coins[i].amount, &atto))
            sum += atto;
    return sum;
}

struct coins_dir {
    char path[64], coins[96], idx[96], db[96];
};

static inline struct coins_dir coins_dir_make(void)
{
    struct coins_dir d = {.path = "/tmp/check_store-XXXXXX"};

    ck_assert_ptr_nonnull(mkdtemp(d.path));
    (void)snprintf(d.coins, sizeof(d.coins), "%s/base.coins", d.path);
    (void)snprintf(d.idx, sizeof(d.idx), "%s/base.idx", d.path);
    (void)snprintf(d.db, sizeof(d.db), "%s/chain.db", d.path);
    return d;
}

/* Nothing but the known files may be left: no temporary ones. */
static inline void coins_dir_remove(const struct coins_dir *d)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    char name[104];

    (void)unlink(d->coins);
    (void)unlink(d->idx);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", d->db, tails[i]);
        (void)unlink(name);
    }
    ck_assert_int_eq(rmdir(d->path), 0);
}

static inline struct coinfile_info coins_write(const struct coins_dir *d,
                                               const struct coinfile_id *id,
                                               const struct coin *coins, uint32_t n)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    struct coinfile_info info = {0};

    ASSERT_OK(coinfile_writer_create(d->coins, d->idx, id, &w, &test_err));
    for (uint32_t i = 0; i < n; i++) /* Check's asserts are slow */
        if (coinfile_writer_add(w, &coins[i], &test_err))
            ck_abort_msg("%s", test_err.msg);
    ASSERT_OK(coinfile_writer_finish(w, &info, &test_err));
    return info;
}

#endif
