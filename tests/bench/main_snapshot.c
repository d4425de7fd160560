#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pack_frames.h"
#include "sync/snapshot/snapdir.h"
#include "tests/bench/measure.h"

/*
 * make_snapshot PARENT HEADER WORK COINS: a snapshot of so many coins under PARENT, at
 * the block of that header (a line of JSON in a file); prints its directory.
 *
 * make_snapshot DIRECTORY: seconds by the clock that SHA-256 of its frames, unpacking
 * them and SHA-256 of what was in them take one thread.
 */
enum { RECORD = COINREC_OWNER + 20, LINE_MAX_BYTES = 1 << 16 };

static void die(const char *what)
{
    (void)fprintf(stderr, "make_snapshot: %s\n", what);
    exit(EXIT_FAILURE);
}

/* --- making --- */

static void read_header(const char *path, struct header *out)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    AUTOFREE char *line = xcalloc(1, LINE_MAX_BYTES);
    FILE *f = fopen(path, "re");
    struct err err;

    if (!f || !fgets(line, LINE_MAX_BYTES, f))
        die("no header");
    (void)fclose(f);
    measure_must(json_parse(line, strlen(line), &JSON_LIMITS_SMALL, &doc, &err), &err);
    measure_must(header_parse(json_root(doc), out, &err), &err);
}

/* Keys ascend, and nothing of it packs well but the amounts: as on a real chain. */
static void make_record(uint64_t i, uint64_t count, uint8_t rec[RECORD])
{
    uint64_t place = UINT64_MAX / count * i;
    double amount = 0.25 * (double)(1 + i % 16);
    uint8_t digest[32];
    uint64_t bits;

    hash_sha256(&i, sizeof(i), digest);
    for (size_t b = 0; b < 8; b++)
        rec[b] = (uint8_t)(place >> (56 - 8 * b));
    memcpy(rec + 8, digest, 24);
    memset(rec + 32, 0, 4);
    memcpy(&bits, &amount, 8);
    for (size_t b = 0; b < 8; b++)
        rec[36 + b] = (uint8_t)(bits >> (56 - 8 * b));
    rec[44] = 1;
    hash_sha256(digest, sizeof(digest), digest);
    memcpy(rec + 45, digest, 20);
}

static void make(char **argv)
{
    CLEANUP(snapdir_writer_free) struct snapdir_writer *w = NULL;
    CLEANUP(manifest_free) struct manifest *m = NULL;
    struct snapdir_about about = {.params = params_find("testnet")};
    uint64_t count = strtoull(argv[4], NULL, 10);
    char id[MANIFEST_ID];
    struct err err;

    read_header(argv[2], &about.header);
    if (!work_parse(argv[3], &about.work) || count == 0)
        die("work, and a number of coins");
    measure_must(snapdir_writer_create(argv[1], &about, &w, &err), &err);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t rec[RECORD];

        make_record(i, count, rec);
        measure_must(snapdir_writer_add_record(w, rec, sizeof(rec), &err), &err);
    }
    measure_must(snapdir_writer_finish(w, &m, &err), &err);
    manifest_id(m, id);
    (void)printf("%s/%s\n", argv[1], id);
}

/* --- the raw work of taking one in --- */

static void check(const char *dir)
{
    CLEANUP(pack_frames_free) struct pack_frames *zstd = pack_frames_create();
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    AUTOFREE uint8_t *frame = xcalloc(1, CHUNKTABLE_FRAME_MAX);
    AUTOFREE uint8_t *raw = xcalloc(1, COINFILE_CHUNK_MAX);
    AUTOFREE char *path = xasprintf("%s/" SNAPDIR_FRAMES, dir);
    FILE *f = fopen(path, "re");
    struct err err;
    double begun;

    measure_must(snapdir_open(dir, &s, &err), &err);
    begun = measure_now();
    for (uint32_t i = 0; i < chunktable_count(snapdir_table(s)); i++) {
        struct chunktable_row row;
        uint8_t sha[32];

        chunktable_row(snapdir_table(s), i, &row);
        if (!f || fread(frame, 1, row.frame_bytes, f) != row.frame_bytes)
            die("frames");
        hash_sha256(frame, row.frame_bytes, sha);
        if (!pack_frames_get(zstd, frame, row.frame_bytes, raw, row.raw_bytes))
            die("a frame");
        hash_sha256(raw, row.raw_bytes, sha);
        if (memcmp(sha, row.raw_sha256, sizeof(sha)) != 0)
            die("a chunk");
    }
    (void)printf("%.6f\n", measure_now() - begun);
    (void)fclose(f);
}

int main(int argc, char **argv)
{
    if (argc == 5)
        make(argv);
    else if (argc == 2)
        check(argv[1]);
    else
        die("PARENT HEADER WORK COINS, or DIRECTORY");
    return EXIT_SUCCESS;
}
