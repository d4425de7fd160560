#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/snapshot/delta.h"
#include "sync/snapshot/snapdir.h"
#include "tests/bench/measure.h"

/*
 * A delta of 1 % of the coins (half of them spent, as many made) against the whole
 * body, for a node that fetches at transfer.min_speed, 10 MiB a second: the bytes to
 * fetch and then the processor time to a verified state.
 */
enum { SPEED = 10 << 20, CHANGED = 200 /* one in so many goes, one comes */ };

static struct coin coin_of(uint64_t i, uint64_t n, uint64_t salt)
{
    struct coin coin = {.amount = (double)(i % 100000) / 100.0, .at.vout = salt & 1};
    uint64_t key = UINT64_MAX / n * i, source[2] = {i, salt};
    uint8_t random[32];

    hash_sha256(source, sizeof(source), random);
    memcpy(coin.at.txid, random, 32);
    for (int k = 0; k < 8; k++)
        coin.at.txid[k] = (uint8_t)(key >> (56 - 8 * k));
    memcpy(coin.address, "TXAI", 4);
    hex_encode(random, 20, coin.address + 4);
    hash_address_case(coin.address + 4);
    return coin;
}

static void add(struct snapdir_writer *w, const struct coin *coin)
{
    struct err err;

    measure_must(snapdir_writer_add(w, coin, &err), &err);
}

static char *make(const char *dir, uint64_t n, bool later, uint64_t *bytes)
{
    CLEANUP(snapdir_writer_free) struct snapdir_writer *w = NULL;
    CLEANUP(manifest_free) struct manifest *m = NULL;
    struct snapdir_about about = {.params = params_find("testnet")};
    char id[MANIFEST_ID];
    struct err err;

    about.header.height = later ? 2 : 1;
    about.header.timestamp = 1730851300.5;
    about.header.difficulty = 1;
    about.header.has_version = true;
    about.header.version = 1;
    header_hash(&about.header, about.header.hash);
    (void)work_parse("20000", &about.work);
    measure_must(snapdir_writer_create(dir, &about, &w, &err), &err);
    for (uint64_t i = 0; i < n; i++) {
        struct coin coin = coin_of(i, n, 0);

        if (!later || i % CHANGED != 0)
            add(w, &coin);
        if (later && i % CHANGED == 0) {
            coin = coin_of(i, n, 1);
            add(w, &coin);
        }
    }
    measure_must(snapdir_writer_finish(w, &m, &err), &err);
    manifest_id(m, id);
    *bytes = m->frames_bytes;
    return xasprintf("%s/%s", dir, id);
}

static enum errc put(void *arg, const struct coin *coin, struct err *err)
{
    return coinfile_writer_add(arg, coin, err);
}

/* The coins of a snapshot in a coin file, as a node has them that holds it. */
static void hold(const char *path, const struct delta_coins *at)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    struct coinfile_info info;
    struct coinfile_id id;
    struct err err;

    measure_must(snapdir_open(path, &s, &err), &err);
    id = manifest_coinfile_id(snapdir_manifest(s));
    measure_must(coinfile_writer_create(at->from, at->from_idx, &id, &w, &err), &err);
    measure_must(snapdir_scan(s, put, w, &err), &err);
    measure_must(coinfile_writer_finish(w, &info, &err), &err);
}

/* The whole body: fetched, then every frame and coin checked. */
static double whole_seconds(const char *path, uint64_t bytes)
{
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    double start = measure_cpu();
    struct err err;

    measure_must(snapdir_open(path, &s, &err), &err);
    measure_must(snapdir_verify(s, NULL, NULL, &err), &err);
    return (double)bytes / SPEED + measure_cpu() - start;
}

static double delta_seconds(const struct delta_coins *at, uint64_t bytes)
{
    const struct delta_watch quiet = {0};
    struct coinfile_info info;
    struct err err;
    double start = measure_cpu(), took;

    measure_must(delta_apply_coins(at, &quiet, &info, &err), &err);
    took = measure_cpu() - start;
    measure_print("delta_apply", took, "s");
    return (double)bytes / SPEED + took;
}

int main(int argc, char **argv)
{
    const struct measure_args args = measure_args(argc, argv, 500000, 10000000);
    const struct delta_watch quiet = {0};
    const char *dir = measure_directory();
    AUTOFREE char *file = xasprintf("%s/delta", dir), *a = xasprintf("%s/a", dir);
    AUTOFREE char *a_idx = xasprintf("%s/a.idx", dir), *b = xasprintf("%s/b", dir);
    AUTOFREE char *b_idx = xasprintf("%s/b.idx", dir);
    const struct delta_coins at = {a, a_idx, file, b, b_idx};
    uint64_t from_bytes, to_bytes;
    AUTOFREE char *from = make(dir, args.count, false, &from_bytes);
    AUTOFREE char *to = make(dir, args.count, true, &to_bytes);
    struct delta_info info;
    struct err err;
    double start = measure_cpu(), whole, delta;

    measure_must(delta_make(from, to, file, &quiet, &info, &err), &err);
    measure_print("delta_make", measure_cpu() - start, "s");
    measure_print("delta_bytes", (double)info.bytes / (1 << 20), "MiB");
    measure_print("delta_whole_bytes", (double)to_bytes / (1 << 20), "MiB");
    whole = whole_seconds(to, to_bytes);
    measure_print("delta_whole", whole, "s");
    hold(from, &at);
    delta = delta_seconds(&at, info.bytes);
    measure_must(snapdir_remove(from, &err), &err);
    measure_must(snapdir_remove(to, &err), &err);
    measure_at_least("delta", delta, "s", whole / delta, 10.0);
    return measure_result();
}
