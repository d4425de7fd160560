#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/pack_frames.h"
#include "sync/snapshot/snapdir.h"
#include "tests/bench/gen_coin.h"
#include "tests/bench/measure.h"

/*
 * A snapshot: made out of coins in order, against writing the same bytes and packing
 * them; and verified, against unpacking them and SHA-256 of both.  Seconds are of
 * processor time, so the disk's own do not count.
 */
enum { ROUNDS = 3, BATCH = 4096 };

struct raw { /* what the coins are, as records */
    uint8_t *bytes;
    size_t len, used;
};

static struct snapdir_about about(void)
{
    struct snapdir_about a = {.params = params_find("testnet")};

    a.header.height = 7;
    a.header.timestamp = 1730851300.0;
    header_hash(&a.header, a.header.hash);
    a.work = work_of_block(1);
    return a;
}

/* Not counted: where the coins come from. */
static void make_batch(struct coin *coins, size_t count, uint64_t from, uint64_t n,
                       struct raw *raw)
{
    for (size_t i = 0; i < count; i++) {
        struct err err;
        size_t len;
        u128 atto;

        coins[i] = gen_coin(from + i, n);
        measure_must(
            coinrec_encode(&coins[i], raw->bytes + raw->used, &len, &atto, &err), &err);
        raw->used += len;
    }
}

static double create(const char *dir, uint64_t n, struct raw *raw, struct manifest **m)
{
    CLEANUP(snapdir_writer_free) struct snapdir_writer *w = NULL;
    AUTOFREE struct coin *coins = xcalloc(BATCH, sizeof(*coins));
    const struct snapdir_about a = about();
    double spent = 0.0;
    struct err err;

    raw->used = 0;
    measure_must(snapdir_writer_create(dir, &a, &w, &err), &err);
    for (uint64_t from = 0; from < n; from += BATCH) {
        size_t count = n - from < BATCH ? (size_t)(n - from) : BATCH;
        double start;

        make_batch(coins, count, from, n, raw);
        start = measure_cpu();
        for (size_t i = 0; i < count; i++)
            measure_must(snapdir_writer_add(w, &coins[i], &err), &err);
        spent += measure_cpu() - start;
    }
    spent -= measure_cpu();
    measure_must(snapdir_writer_finish(w, m, &err), &err);
    return spent + measure_cpu();
}

/* The bytes written as they are, and packed. */
static double write_and_pack(const char *dir, const struct raw *raw)
{
    CLEANUP(pack_frames_free) struct pack_frames *p = pack_frames_create();
    AUTOFREE char *path = xasprintf("%s/raw", dir);
    AUTOFREE uint8_t *out = xcalloc(1, CHUNKTABLE_FRAME_MAX);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    double start = measure_cpu();
    struct err err;

    for (size_t at = 0; at < raw->used; at += COINFILE_CHUNK_MAX) {
        size_t len =
            raw->used - at < COINFILE_CHUNK_MAX ? raw->used - at : COINFILE_CHUNK_MAX;

        measure_must(durable_write(fd, raw->bytes + at, len, path, &err), &err);
        (void)pack_frames_put(p, raw->bytes + at, len, out, CHUNKTABLE_FRAME_MAX);
    }
    measure_must(durable_sync(fd, path, &err), &err);
    start = measure_cpu() - start;
    (void)close(fd);
    (void)unlink(path);
    return start;
}

static double verify(const char *path)
{
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    double start = measure_cpu();
    struct err err;

    measure_must(snapdir_open(path, &s, &err), &err);
    measure_must(snapdir_verify(s, NULL, NULL, &err), &err);
    return measure_cpu() - start;
}

/* The frames unpacked, and SHA-256 of both. */
static double unpack_and_hash(const char *path)
{
    CLEANUP(pack_frames_free) struct pack_frames *p = pack_frames_create();
    AUTOFREE uint8_t *packed = xcalloc(1, CHUNKTABLE_FRAME_MAX);
    AUTOFREE uint8_t *raw = xcalloc(1, COINFILE_CHUNK_MAX);
    AUTOFREE char *name = xasprintf("%s/%s", path, SNAPDIR_FRAMES);
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    FILE *f = fopen(name, "rb");
    double start;
    struct err err;

    measure_must(snapdir_open(path, &s, &err), &err);
    start = measure_cpu();
    for (uint32_t i = 0; i < chunktable_count(snapdir_table(s)); i++) {
        struct chunktable_row row;
        uint8_t sha[32];

        chunktable_row(snapdir_table(s), i, &row);
        if (!f || fread(packed, 1, row.frame_bytes, f) != row.frame_bytes)
            abort();
        hash_sha256(packed, row.frame_bytes, sha);
        if (!pack_frames_get(p, packed, row.frame_bytes, raw, row.raw_bytes))
            abort();
        hash_sha256(raw, row.raw_bytes, sha);
    }
    start = measure_cpu() - start;
    if (f)
        (void)fclose(f);
    return start;
}

int main(int argc, char **argv)
{
    const struct measure_args args = measure_args(argc, argv, 2000000, 10000000);
    const char *dir = measure_directory();
    double ours[ROUNDS], ratio[ROUNDS], seconds[ROUNDS], of_raw[ROUNDS];
    double count = (double)args.count, packed = 0.0;
    struct raw raw = {.bytes = xcalloc(args.count, COINREC_MAX)};

    for (size_t i = 0; i < ROUNDS; i++) {
        CLEANUP(manifest_free) struct manifest *m = NULL;
        AUTOFREE char *path = NULL;
        char id[MANIFEST_ID];
        struct err err;

        ours[i] = create(dir, args.count, &raw, &m);
        ratio[i] = write_and_pack(dir, &raw) / ours[i];
        manifest_id(m, id);
        path = xasprintf("%s/%s", dir, id);
        seconds[i] = verify(path);
        of_raw[i] = unpack_and_hash(path) / seconds[i];
        packed = (double)m->frames_bytes / (double)m->bytes;
        measure_must(snapdir_remove(path, &err), &err);
    }
    measure_print("snapshot_packed", packed, "of raw");
    measure_at_least("snapshot_create", count / measure_median(ours, ROUNDS), "coins/s",
                     measure_median(ratio, ROUNDS), 0.4);
    measure_at_least("snapshot_verify", count / measure_median(seconds, ROUNDS),
                     "coins/s", measure_median(of_raw, ROUNDS), 0.5);
    free(raw.bytes);
    return measure_result();
}
