#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/coinfile.h"
#include "tests/bench/gen_coin.h"
#include "tests/bench/measure.h"

/*
 * A coin file: written, verified and mounted against raw SHA-256 over the same bytes,
 * and random lookups in the page cache.  Seconds are of processor time.
 */
enum { ROUNDS = 5, LOOKUPS = 200000, PART = 1 << 20 };

static char path[128], idx_path[128];

static double write_coins(uint64_t n, struct coinfile_info *info)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    const struct coinfile_id id = {.network = "bench", .height = 1};
    double spent = 0.0;
    struct err err;

    measure_must(coinfile_writer_create(path, idx_path, &id, &w, &err), &err);
    for (uint64_t i = 0; i < n; i++) {
        const struct coin coin = gen_coin(i, n);
        double start = measure_cpu();

        measure_must(coinfile_writer_add(w, &coin, &err), &err);
        spent += measure_cpu() - start;
    }
    spent -= measure_cpu();
    measure_must(coinfile_writer_finish(w, info, &err), &err);
    return spent + measure_cpu();
}

/* libcrypto's stream over the file's bytes, from the page cache. */
static double hash_raw(void)
{
    AUTOFREE uint8_t *part = xcalloc(1, PART);
    CLEANUP(hasher_free) struct hasher *h = hasher_create();
    FILE *f = fopen(path, "rb");
    double spent = 0.0;
    uint8_t sha[32];
    size_t n;

    if (!f)
        abort();
    while ((n = fread(part, 1, PART, f)) > 0) {
        double start = measure_cpu();

        hasher_add(h, part, n);
        spent += measure_cpu() - start;
    }
    hasher_finish(h, sha);
    (void)fclose(f);
    return spent;
}

static double open_file(const struct coinfile_info *info, struct coinfile **f)
{
    double start = measure_cpu();
    struct err err;

    measure_must(coinfile_open(path, idx_path, info->state_root, f, &err), &err);
    return measure_cpu() - start;
}

static double verify(struct coinfile *f)
{
    double start = measure_cpu();
    struct err err;

    measure_must(coinfile_verify(f, NULL, &err), &err);
    return measure_cpu() - start;
}

static double look_up(struct coinfile *f, uint64_t n)
{
    AUTOFREE struct outpoint *at = xcalloc(LOOKUPS, sizeof(*at));
    uint64_t seed = 1;
    double start;

    for (size_t i = 0; i < LOOKUPS; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        at[i] = gen_coin((seed >> 16) % n, n).at;
    }
    start = measure_cpu();
    for (size_t i = 0; i < LOOKUPS; i++) {
        struct coin coin;
        struct err err;
        bool found = false;

        measure_must(coinfile_find(f, &at[i], &found, &coin, &err), &err);
        if (!found)
            abort();
    }
    return (measure_cpu() - start) / LOOKUPS;
}

int main(int argc, char **argv)
{
    const struct measure_args args = measure_args(argc, argv, 2000000, 10000000);
    const char *dir = measure_directory();
    CLEANUP(coinfile_close) struct coinfile *f = NULL, *rebuilt = NULL;
    double write_s, raw_s, cold_s, ours[ROUNDS], ratio[ROUNDS];
    double count = (double)args.count;
    struct coinfile_info info;

    (void)snprintf(path, sizeof(path), "%s/base.coins", dir);
    (void)snprintf(idx_path, sizeof(idx_path), "%s/base.idx", dir);
    write_s = write_coins(args.count, &info);
    measure_print("coins_write", count / write_s, "coins/s");
    raw_s = hash_raw(); /* into the page cache */
    for (size_t i = 0; i < ROUNDS; i++) {
        coinfile_close(TAKE(f));
        raw_s = hash_raw();
        ours[i] = open_file(&info, &f) + verify(f);
        ratio[i] = raw_s / ours[i];
    }
    measure_print("coins_file", (double)info.file_bytes / count, "bytes/coin");
    measure_print("coins_raw_sha256", (double)info.file_bytes / raw_s / 1e6, "MB/s");
    measure_at_least("coins_verify_and_mount", count / measure_median(ours, ROUNDS),
                     "coins/s", measure_median(ratio, ROUNDS), 0.5);
    cold_s = look_up(f, args.count); /* hashes each chunk once */
    measure_print("coins_find_first", cold_s * 1e6, "us");
    measure_at_most("coins_find", look_up(f, args.count) * 1e6, "us", 5);
    (void)unlink(idx_path);
    measure_print("coins_open_without_index", open_file(&info, &rebuilt) * 1e3, "ms");
    return measure_result();
}
