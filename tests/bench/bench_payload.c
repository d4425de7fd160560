#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yajl/yajl_parse.h>

#include "base/hash.h"
#include "base/mem.h"
#include "sync/snapshot/payload.h"
#include "tests/bench/gen_payload.h"
#include "tests/bench/measure.h"

/*
 * A checkpoint payload into a coin file, against yajl alone over the same text with
 * callbacks that do nothing.  Each way in a process of its own, for its peak memory.
 */
enum { ROUNDS = 3, PIECE = 256 << 10, SORT_MEMORY = 32 << 20, HEIGHT = 200 };

static char payload[128], coins[128], idx[128];
static const char *directory;

static int on_nothing(void *ctx)
{
    (void)ctx;
    return 1;
}

static int on_boolean(void *ctx, int value)
{
    (void)ctx, (void)value;
    return 1;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    (void)ctx, (void)text, (void)len;
    return 1;
}

static int on_text(void *ctx, const unsigned char *text, size_t len)
{
    (void)ctx, (void)text, (void)len;
    return 1;
}

static const yajl_callbacks nothing = {
    .yajl_null = on_nothing,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_text,
    .yajl_map_key = on_text,
    .yajl_start_map = on_nothing,
    .yajl_end_map = on_nothing,
    .yajl_start_array = on_nothing,
    .yajl_end_array = on_nothing,
};

static bool skim(void)
{
    AUTOFREE unsigned char *piece = xcalloc(1, PIECE);
    yajl_handle h = yajl_alloc(&nothing, NULL, NULL);
    int fd = open(payload, O_RDONLY | O_CLOEXEC);
    bool good = h && fd >= 0;
    ssize_t n;

    while (good && (n = read(fd, piece, PIECE)) > 0)
        good = yajl_parse(h, piece, (size_t)n) == yajl_status_ok;
    good = good && yajl_complete_parse(h) == yajl_status_ok;
    if (h)
        yajl_free(h);
    (void)close(fd);
    return good;
}

static bool ingest(void)
{
    const struct payload_paths paths = {payload, coins, idx, directory};
    const struct payload_limits limits = {.max_bytes = UINT64_MAX,
                                          .max_coins = UINT64_MAX,
                                          .sort_memory = SORT_MEMORY,
                                          .max_supply = (u128)1 << 100};
    struct payload_progress progress = {0};
    struct payload_result result;
    struct err err = {0};

    if (payload_ingest(&paths, "bench", &limits, &progress, &result, &err) == ERR_OK)
        return true;
    (void)fprintf(stderr, "%s\n", err.msg);
    return false;
}

struct cost {
    double wall, cpu, peak_mib;
};

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static struct cost in_child(bool (*work)(void))
{
    double start = measure_now();
    struct rusage usage;
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(work() ? EXIT_SUCCESS : EXIT_FAILURE);
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        exit(EXIT_FAILURE);
    return (struct cost){.wall = measure_now() - start,
                         .cpu = seconds(&usage.ru_utime) + seconds(&usage.ru_stime),
                         .peak_mib = (double)usage.ru_maxrss / 1024.0};
}

static uint64_t make_payload(uint64_t n)
{
    struct gen_payload *g = gen_payload_create(payload, n, gen_payload_total(n));
    const uint8_t block[32] = {1};

    for (uint64_t i = 0; i < n; i++) {
        struct coin coin = gen_payload_coin(i, n);

        hash_sha256(&i, sizeof(i), coin.at.txid);
        gen_payload_add(g, &coin);
    }
    return gen_payload_finish(g, HEIGHT, block);
}

int main(int argc, char **argv)
{
    const struct measure_args args = measure_args(argc, argv, 1000000, 4000000);
    double start = measure_now(), ours[ROUNDS], ratio[ROUNDS], wall[ROUNDS], peak = 0;
    uint64_t bytes;

    directory = measure_directory();
    (void)snprintf(payload, sizeof(payload), "%s/payload.json", directory);
    (void)snprintf(coins, sizeof(coins), "%s/base.coins", directory);
    (void)snprintf(idx, sizeof(idx), "%s/base.idx", directory);
    bytes = make_payload(args.count);
    measure_print("payload_bytes", (double)bytes / 1048576.0, "MiB");
    measure_print("payload_generate", measure_now() - start, "s");
    for (size_t i = 0; i < ROUNDS; i++) {
        struct cost raw = in_child(skim), in = in_child(ingest);

        ours[i] = in.cpu;
        ratio[i] = raw.cpu / in.cpu;
        wall[i] = raw.wall / in.wall;
        if (in.peak_mib > peak)
            peak = in.peak_mib;
    }
    measure_at_least("payload_ingest",
                     (double)bytes / 1048576.0 / measure_median(ours, ROUNDS), "MiB/s",
                     measure_median(ratio, ROUNDS), 0.5);
    measure_print("payload_ingest_waiting", measure_median(wall, ROUNDS), "ratio");
    measure_at_most("payload_peak", peak, "MiB", 128);
    return measure_result();
}
