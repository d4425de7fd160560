#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/coinfile.h"
#include "store/coinidx.h"

/*
 * Any bytes as a coin file, alone and with an index cut from the same bytes: a file
 * that verifies must give back, coin by coin, the same bytes and the same root, and
 * find each coin.  The first byte chooses repairs of the hashes, which a fuzzer cannot
 * find: 1 the header's, 2 the index's.
 */
enum { HEAD = COINHEAD_BYTES, REPAIR_HEAD = 1, REPAIR_INDEX = 2, HAS_INDEX = 4 };

static char dir[] = "/dev/shm/fuzz_coinfile-XXXXXX"; /* memory: fsync is free */
static char in_path[64], idx_path[64], out_path[64], out_idx[64];

static void remove_dir(void)
{
    (void)unlink(in_path);
    (void)unlink(idx_path);
    (void)unlink(out_path);
    (void)unlink(out_idx);
    (void)rmdir(dir);
}

static void make_dir(void)
{
    static bool made;

    if (made)
        return;
    made = true;
    if (!mkdtemp(dir))
        abort();
    (void)snprintf(in_path, sizeof(in_path), "%s/in", dir);
    (void)snprintf(idx_path, sizeof(idx_path), "%s/in.idx", dir);
    (void)snprintf(out_path, sizeof(out_path), "%s/out", dir);
    (void)snprintf(out_idx, sizeof(out_idx), "%s/out.idx", dir);
    (void)atexit(remove_dir);
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
        abort();
}

static bool same_files(const char *a, const char *b)
{
    FILE *x = fopen(a, "rb"), *y = fopen(b, "rb");
    int c, d;

    if (!x || !y)
        abort();
    do {
        c = getc(x);
        d = getc(y);
    } while (c == d && c != EOF);
    (void)fclose(x);
    (void)fclose(y);
    return c == d;
}

static enum errc copy_coin(void *w, const struct coin *coin, struct err *err)
{
    return coinfile_writer_add(w, coin, err);
}

static enum errc ignore_coin(void *arg, const struct coin *coin, struct err *err)
{
    (void)arg;
    (void)coin;
    (void)err;
    return ERR_OK;
}

/* A coin that is scanned is found, as it was scanned. */
static enum errc find_again(void *arg, const struct coin *coin, struct err *err)
{
    struct coin got;
    bool found;

    if (coinfile_find(arg, &coin->at, &found, &got, err) != ERR_OK || !found ||
        got.amount != coin->amount || strcmp(got.address, coin->address) != 0)
        abort();
    return ERR_OK;
}

static void write_again(struct coinfile *f)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    const struct coinfile_info *info = coinfile_info(f);
    struct coinfile_info again;
    struct err err;

    if (coinfile_scan(f, find_again, f, &err) != ERR_OK)
        abort();
    if (coinfile_writer_create(out_path, out_idx, &info->id, &w, &err) != ERR_OK ||
        coinfile_scan(f, copy_coin, w, &err) != ERR_OK ||
        coinfile_writer_finish(w, &again, &err) != ERR_OK)
        abort();
    if (memcmp(again.state_root, info->state_root, 32) != 0 ||
        again.coin_count != info->coin_count || again.total != info->total ||
        again.chunk_count != info->chunk_count || !same_files(in_path, out_path) ||
        !same_files(idx_path, out_idx))
        abort();
}

static void read_it(const uint8_t key[32])
{
    CLEANUP(coinfile_close) struct coinfile *f = NULL;
    struct outpoint at = {.vout = key[0]};
    struct coin got;
    struct err err;
    bool found;

    if (coinfile_open(in_path, idx_path, NULL, &f, &err) != ERR_OK)
        return;
    memcpy(at.txid, key, 32);
    (void)coinfile_find(f, &at, &found, &got, &err);
    (void)coinfile_scan(f, ignore_coin, NULL, &err);
    if (coinfile_verify(f, NULL, &err) == ERR_OK)
        write_again(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[1 << 20];
    uint8_t mode = size > 0 ? data[0] : 0;
    size_t len = size > 0 ? size - 1 : 0, idx_len = 0;

    if (len < HEAD || len > sizeof(bytes))
        return 0;
    make_dir();
    (void)unlink(idx_path);
    memcpy(bytes, data + 1, len);
    if (mode & HAS_INDEX) { /* the last two bytes: how much of the end is the index */
        idx_len = (size_t)(bytes[len - 1] << 8 | bytes[len - 2]);
        len -= 2;
        if (len < HEAD || idx_len > len - HEAD)
            return 0;
        len -= idx_len;
    }
    if (mode & REPAIR_HEAD)
        hash_sha256(bytes, HEAD - 32, bytes + HEAD - 32);
    if (mode & HAS_INDEX) {
        if ((mode & REPAIR_INDEX) && idx_len > 32)
            hash_sha256(bytes + len, idx_len - 32, bytes + len + idx_len - 32);
        write_file(idx_path, bytes + len, idx_len);
    }
    write_file(in_path, bytes, len);
    read_it(bytes + len - 32);
    return 0;
}
