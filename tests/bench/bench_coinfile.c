#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/coinfile.h"

/*
 * Writes N synthetic coins (argument, default 1,000,000), then prints, one line each
 * `name value unit ratio`: writing, verifying against raw SHA-256 over the same bytes,
 * opening with and without the index, and random lookups in the page cache.
 */
enum { LOOKUPS = 200000, PART = 1 << 20 };

static char dir[] = "/tmp/bench_coinfile-XXXXXX";
static char path[64], idx_path[64];

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(enum errc rc, const struct err *err)
{
    if (rc == ERR_OK)
        return;
    (void)fprintf(stderr, "%s\n", err->msg);
    abort();
}

/* In order already: the number spread over the first eight bytes of the txid. */
static struct coin coin_of(uint64_t i, uint64_t n)
{
    struct coin coin = {.amount = (double)(i % 100000) / 100.0, .at.vout = i % 2};
    uint64_t key = UINT64_MAX / n * i;
    uint8_t random[32];

    hash_sha256(&i, sizeof(i), random);
    memcpy(coin.at.txid, random, 32);
    for (int k = 0; k < 8; k++)
        coin.at.txid[k] = (uint8_t)(key >> (56 - 8 * k));
    memcpy(coin.address, "TXAI", 4);
    hex_encode(random, 20, coin.address + 4);
    hash_address_case(coin.address + 4);
    return coin;
}

static double write_coins(uint64_t n, struct coinfile_info *info)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    const struct coinfile_id id = {.network = "bench", .height = 1};
    double spent = 0.0;
    struct err err;

    must(coinfile_writer_create(path, idx_path, &id, &w, &err), &err);
    for (uint64_t i = 0; i < n; i++) {
        const struct coin coin = coin_of(i, n);
        double start = now_s();

        must(coinfile_writer_add(w, &coin, &err), &err);
        spent += now_s() - start;
    }
    spent -= now_s();
    must(coinfile_writer_finish(w, info, &err), &err);
    return spent + now_s();
}

/* Raw: the file's bytes through the same SHA-256, chunk by chunk, from the page cache.
 */
static double hash_raw(void)
{
    AUTOFREE uint8_t *part = xcalloc(1, PART);
    FILE *f = fopen(path, "rb");
    double spent = 0.0;
    uint8_t sha[32];
    size_t n;

    if (!f)
        abort();
    while ((n = fread(part, 1, PART, f)) > 0) {
        double start = now_s();

        hash_sha256(part, n, sha);
        spent += now_s() - start;
    }
    (void)fclose(f);
    return spent;
}

static double open_file(const struct coinfile_info *info, struct coinfile **f)
{
    double start = now_s();
    struct err err;

    must(coinfile_open(path, idx_path, info->state_root, f, &err), &err);
    return now_s() - start;
}

static double verify(struct coinfile *f)
{
    double start = now_s();
    struct err err;

    must(coinfile_verify(f, &err), &err);
    return now_s() - start;
}

static double look_up(struct coinfile *f, uint64_t n)
{
    AUTOFREE struct outpoint *at = xcalloc(LOOKUPS, sizeof(*at));
    uint64_t seed = 1;
    double start;

    for (size_t i = 0; i < LOOKUPS; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        at[i] = coin_of((seed >> 16) % n, n).at;
    }
    start = now_s();
    for (size_t i = 0; i < LOOKUPS; i++) {
        struct coin coin;
        struct err err;
        bool found = false;

        must(coinfile_find(f, &at[i], &found, &coin, &err), &err);
        if (!found)
            abort();
    }
    return (now_s() - start) / LOOKUPS;
}

static void line(const char *name, double value, const char *unit, double ratio)
{
    (void)printf("%s %.4f %s %.3f\n", name, value, unit, ratio);
}

static void remove_files(void)
{
    (void)unlink(path);
    (void)unlink(idx_path);
    (void)rmdir(dir);
}

int main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    CLEANUP(coinfile_close) struct coinfile *f = NULL, *rebuilt = NULL;
    double write_s, raw_s, verify_s, open_s, rebuild_s, cold_s, warm_s,
        count = (double)n;
    struct coinfile_info info;

    if (n == 0 || !mkdtemp(dir))
        return EXIT_FAILURE;
    (void)snprintf(path, sizeof(path), "%s/base.coins", dir);
    (void)snprintf(idx_path, sizeof(idx_path), "%s/base.idx", dir);
    (void)atexit(remove_files);
    write_s = write_coins(n, &info);
    (void)hash_raw(); /* into the page cache */
    raw_s = hash_raw();
    open_s = open_file(&info, &f);
    verify_s = verify(f);
    cold_s = look_up(f, n); /* hashes each chunk once */
    warm_s = look_up(f, n);
    (void)unlink(idx_path);
    rebuild_s = open_file(&info, &rebuilt);
    line("file_bytes", (double)info.file_bytes, "bytes",
         (double)info.file_bytes / count);
    line("raw_sha256", (double)info.file_bytes / raw_s / 1e6, "MB/s", 1.0);
    line("write", count / write_s, "coins/s", write_s / raw_s);
    line("verify", count / verify_s, "coins/s", verify_s / raw_s);
    line("open_with_index", open_s * 1e3, "ms", open_s / raw_s);
    line("open_rebuilding_index", rebuild_s * 1e3, "ms", rebuild_s / raw_s);
    line("find_first", cold_s * 1e6, "us", 0.0);
    line("find", warm_s * 1e6, "us", warm_s / cold_s);
    return EXIT_SUCCESS;
}
