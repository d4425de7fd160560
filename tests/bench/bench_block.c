#include <secp256k1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/pool.h"
#include "store/coinfile.h"
#include "sync/chain/connect.h"
#include "tests/bench/gen_block.h"
#include "tests/bench/measure.h"

/*
 * Blocks full of transfers as the engine takes them: workers decode them and check
 * their signatures, one thread connects them in order to the coins of a coin file.
 * Against as many workers that do nothing but secp256k1_ecdsa_verify.
 */
enum { ROUNDS = 5, TRANSFERS = 2000, KEYS = 64, MAKERS = 16, VERIFIES = 4000 };
static const double coin_amount = 3.0, supply = 1e6;

static const struct chain_params *params;
static struct gen_key keys[KEYS];
static struct coinfile *coins;
static struct chan *done;
static size_t workers;

static size_t key_of(const struct coin *coin)
{
    return coin->at.txid[31] % KEYS;
}

static int by_outpoint(const void *a, const void *b)
{
    const struct coin *x = a, *y = b;

    return outpoint_compare(&x->at, &y->at);
}

static struct coin *make_coins(size_t n)
{
    struct coin *all = xcalloc(n, sizeof(*all));

    for (size_t i = 0; i < n; i++) {
        hash_sha256(&i, sizeof(i), all[i].at.txid);
        all[i].amount = coin_amount;
        (void)snprintf(all[i].address, sizeof(all[i].address), "%s",
                       keys[key_of(&all[i])].address);
    }
    qsort(all, n, sizeof(*all), by_outpoint);
    return all;
}

static void write_coins(const struct coin *all, size_t n, const char *path,
                        const char *idx)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    const struct coinfile_id id = {.network = "bench", .height = 1};
    struct coinfile_info info;
    struct err err;

    measure_must(coinfile_writer_create(path, idx, &id, &w, &err), &err);
    for (size_t i = 0; i < n; i++)
        measure_must(coinfile_writer_add(w, &all[i], &err), &err);
    measure_must(coinfile_writer_finish(w, &info, &err), &err);
    measure_must(coinfile_open(path, idx, NULL, &coins, &err), &err);
}

/* --- making blocks, on the pool: signing takes the time --- */

struct piece {
    struct task task;
    size_t number;
    const struct coin *coins;
    char *text;
    size_t len;
};

static void make_block(struct task *task)
{
    struct piece *p = (void *)task;
    struct header parent = {.height = 100 + p->number, .timestamp = 1740000000.0};
    struct coin reward = {.amount = 12.0};
    struct buf text = BUF(4U << 20);
    struct gen_block b;

    (void)snprintf(reward.address, sizeof(reward.address), "%s", keys[0].address);
    gen_block_begin(&b, &parent);
    gen_block_coinbase(&b, &reward, 1);
    for (size_t i = 0; i < TRANSFERS; i++) {
        /* spread over the file: a block's inputs are no neighbours */
        const struct coin *in = &p->coins[i * MAKERS];

        gen_block_transfer(&b, &keys[key_of(in)], in, keys[i % KEYS].address);
    }
    gen_block_end(&b, &text);
    p->len = text.len;
    p->text = buf_take(&text);
}

/* --- taking them --- */

struct taken {
    struct task task;
    size_t number;
    const struct piece *from;
    struct block *block;
    struct buf body;
    struct err err;
};

static void take_block(struct task *task)
{
    struct taken *t = (void *)task;
    enum errc rc =
        block_decode(t->from->text, t->from->len, params, &t->block, &t->err);

    if (!rc)
        rc = block_check_signatures(t->block, params, &t->err);
    measure_must(rc, &t->err);
    t->body = BUF(4U << 20);
    block_write(t->block, &t->body); /* what the engine stores */
}

static bool find(void *arg, const struct outpoint *at, struct coin *out,
                 struct err *err)
{
    bool found = false;

    (void)arg;
    measure_must(coinfile_find(coins, at, &found, out, err), err);
    return found;
}

static void connect_one(struct taken *t)
{
    const struct connect_view view = {.find = find,
                                      .supply = (u128)(supply * 1e9) * 1000000000U};
    struct connect_changes changes = {0};
    struct err err;

    measure_must(connect_block(t->block, params, &view, &changes, &err), &err);
    if (changes.spent_count != TRANSFERS || changes.made_count != 2 * TRANSFERS + 1)
        abort();
    connect_changes_fini(&changes);
    block_free(t->block);
    buf_fini(&t->body);
}

static void hand_back(void *arg, struct task *task)
{
    (void)arg;
    if (!chan_send(done, task))
        abort();
}

static void take_all(const struct piece *pieces, size_t n)
{
    AUTOFREE struct taken *all = xcalloc(n, sizeof(*all));
    AUTOFREE bool *ready = xcalloc(n, sizeof(*ready));
    struct pool *pool = pool_create(workers, n, hand_back, NULL);

    for (size_t i = 0; i < n; i++) {
        all[i] =
            (struct taken){.task.run = take_block, .number = i, .from = &pieces[i]};
        pool_submit(pool, &all[i].task);
    }
    for (size_t next = 0; next < n;) {
        struct taken *t = chan_recv(done);

        ready[t->number] = true;
        for (; next < n && ready[next]; next++)
            connect_one(&all[next]);
    }
    pool_free(pool);
}

/* --- raw --- */

struct signed_digest {
    uint8_t digest[32];
    secp256k1_pubkey key;
    secp256k1_ecdsa_signature signature;
};

static struct signed_digest signatures[KEYS];

static void make_signatures(void)
{
    secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);

    for (size_t i = 0; i < KEYS; i++) {
        struct signed_digest *s = &signatures[i];

        hash_sha256(&i, sizeof(i), s->digest);
        if (!secp256k1_ec_pubkey_create(ctx, &s->key, keys[i].secret) ||
            !secp256k1_ecdsa_sign(ctx, &s->signature, s->digest, keys[i].secret, NULL,
                                  NULL))
            abort();
    }
    secp256k1_context_destroy(ctx);
}

static void verify_raw(struct task *task)
{
    (void)task;
    for (size_t i = 0; i < VERIFIES; i++) {
        const struct signed_digest *s = &signatures[i % KEYS];

        if (!secp256k1_ecdsa_verify(secp256k1_context_static, &s->signature, s->digest,
                                    &s->key))
            abort();
    }
}

/* All cores at it at once: what the machine gives now is what ours may use. */
static void verify_all(void)
{
    AUTOFREE struct task *all = xcalloc(workers, sizeof(*all));
    struct pool *pool = pool_create(workers, workers, hand_back, NULL);

    for (size_t i = 0; i < workers; i++) {
        all[i].run = verify_raw;
        pool_submit(pool, &all[i]);
    }
    for (size_t i = 0; i < workers; i++)
        (void)chan_recv(done);
    pool_free(pool);
}

static void make_all(struct piece *pieces, size_t n, const struct coin *all)
{
    struct pool *pool = pool_create(workers, n, hand_back, NULL);

    for (size_t i = 0; i < n; i++) {
        pieces[i] =
            (struct piece){.task.run = make_block,
                           .number = i,
                           .coins = all + i / MAKERS * MAKERS * TRANSFERS + i % MAKERS};
        pool_submit(pool, &pieces[i].task);
    }
    for (size_t i = 0; i < n; i++)
        (void)chan_recv(done);
    pool_free(pool);
}

/* Processor time is judged: it is ours, whoever else uses the machine. */
static void compare(const struct piece *pieces, size_t n)
{
    double transfers = (double)(n * TRANSFERS), verifies = (double)(workers * VERIFIES);
    double rate[ROUNDS], cpu[ROUNDS], wall[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        double t[3] = {measure_now()}, c[3] = {measure_cpu()};

        verify_all();
        t[1] = measure_now();
        c[1] = measure_cpu();
        take_all(pieces, n);
        t[2] = measure_now();
        c[2] = measure_cpu();
        rate[i] = transfers / (t[2] - t[1]);
        wall[i] = (t[1] - t[0]) / verifies * transfers / (t[2] - t[1]);
        cpu[i] = (c[1] - c[0]) / verifies * transfers / (c[2] - c[1]);
    }
    measure_at_least("block_validate", measure_median(rate, ROUNDS), "transfers/s",
                     measure_median(cpu, ROUNDS), 0.8);
    measure_print("block_validate_wall", measure_median(wall, ROUNDS), "ratio");
}

int main(int argc, char **argv)
{
    const struct measure_args args = measure_args(argc, argv, 16, 128);
    size_t n = args.count, made = (n + MAKERS - 1) / MAKERS * MAKERS * TRANSFERS;
    AUTOFREE struct piece *pieces = xcalloc(n, sizeof(*pieces));
    AUTOFREE struct coin *all = NULL;
    const char *dir = measure_directory();
    char path[128], idx[128];

    workers = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    params = params_find("testnet");
    done = chan_create(n + workers);
    (void)snprintf(path, sizeof(path), "%s/base.coins", dir);
    (void)snprintf(idx, sizeof(idx), "%s/base.idx", dir);
    for (size_t i = 0; i < KEYS; i++)
        gen_key_make(i, params, &keys[i]);
    make_signatures();
    all = make_coins(made);
    write_coins(all, made, path, idx);
    make_all(pieces, n, all);
    measure_print("block_bytes", (double)pieces[0].len, "bytes");
    compare(pieces, n);
    for (size_t i = 0; i < n; i++)
        free(pieces[i].text);
    coinfile_close(coins);
    chan_free(done);
    return measure_result();
}
