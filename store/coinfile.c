#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/coinfile.h"
#include "store/coinidx.h"
#include "store/coinpass.h"
#include "store/fsutil.h"

struct mapping {
    const uint8_t *bytes;
    size_t len;
};

struct coinfile {
    struct mapping map;
    struct coinidx ix;
    struct mapping idx_map; /* the index is mapped ... */
    uint8_t *idx_heap;      /* ... or was rebuilt */
    atomic_bool *checked;   /* per chunk: its hash was found right since the open */
    struct coinfile_info info;
};

static enum errc map_file(const char *path, uint64_t min, uint64_t max,
                          struct mapping *out, struct err *err)
{
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */
    enum errc rc = ERR_OK;
    struct stat st;

    if (fd < 0)
        return err_errno(err, "open %s", path);
    if (fstat(fd, &st) != 0) {
        rc = err_errno(err, "%s", path);
    } else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < min ||
               (uint64_t)st.st_size > max) {
        rc = err_fail(err, REASON_STORAGE_CORRUPT,
                      "%s: no file of this kind has %lld bytes", path,
                      (long long)st.st_size);
    } else {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

        if (p == MAP_FAILED)
            rc = err_errno(err, "map %s", path);
        else
            *out = (struct mapping){.bytes = p, .len = (size_t)st.st_size};
    }
    (void)close(fd);
    return rc;
}

static void unmap(struct mapping *m)
{
    void *p;

    memcpy(&p, &m->bytes, sizeof(p)); /* munmap takes no pointer to const */
    if (p)
        (void)munmap(p, m->len);
    *m = (struct mapping){0};
}

void coinfile_close(struct coinfile *f)
{
    if (!f)
        return;
    unmap(&f->map);
    unmap(&f->idx_map);
    free(f->idx_heap);
    free(f->checked);
    free(f);
}

static void describe(struct coinfile *f)
{
    f->info.coin_count = f->ix.coin_count;
    f->info.total = f->ix.total;
    f->info.file_bytes = f->ix.file_bytes;
    f->info.chunk_count = f->ix.chunk_count;
    coinidx_root(&f->ix, f->info.state_root);
    f->checked = xcalloc((size_t)f->ix.chunk_count + 1, sizeof(*f->checked));
}

/* False: no index, or one that is unsound or not of this state. */
static bool use_index(struct coinfile *f, const char *idx_path,
                      const uint8_t *want_root)
{
    const uint64_t max = (uint64_t)1 << 34; /* over what COINFILE_BYTES_MAX can need */
    struct err ignored;
    uint8_t root[32];

    if (map_file(idx_path, 1, max, &f->idx_map, &ignored) != ERR_OK)
        return false;
    if (coinidx_read(f->idx_map.bytes, f->idx_map.len, f->map.bytes, f->map.len,
                     &f->ix)) {
        coinpass_drop(f->idx_map.bytes, 0, f->idx_map.len);
        coinidx_root(&f->ix, root);
        if (!want_root || memcmp(root, want_root, sizeof(root)) == 0)
            return true;
    }
    unmap(&f->idx_map);
    return false;
}

/* The next open finds it; one that cannot be written, or that a crash tears, is rebuilt
   again then. */
static void keep_index(const char *idx_path, const uint8_t *idx, size_t len)
{
    AUTOFREE char *tmp = xasprintf("%s.XXXXXX", idx_path);
    int fd = mkostemp(tmp, O_CLOEXEC);
    struct err ignored;
    bool good;

    if (fd < 0)
        return;
    good = fsutil_write(fd, idx, len, tmp, &ignored) == ERR_OK;
    (void)close(fd);
    if (!good || rename(tmp, idx_path) != 0)
        (void)unlink(tmp);
}

static enum errc rebuild_index(struct coinfile *f, const char *path,
                               const char *idx_path, const uint8_t *want_root,
                               struct err *err)
{
    char have[65], want[65];
    size_t len;
    enum errc rc = coinpass_run(f->map.bytes, f->map.len, &f->idx_heap, &len, err);

    if (rc)
        return rc;
    if (!coinidx_read(f->idx_heap, len, f->map.bytes, f->map.len, &f->ix))
        return err_fail(err, REASON_INTERNAL, "%s: its new index is unsound", path);
    describe(f);
    f->info.index_rebuilt = true;
    if (want_root && memcmp(want_root, f->info.state_root, 32) != 0) {
        hex_encode(f->info.state_root, 32, have);
        hex_encode(want_root, 32, want);
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "coin file has state root %s, not %s", have, want);
    }
    for (uint32_t i = 0; i < f->ix.chunk_count; i++)
        atomic_init(&f->checked[i], true);
    keep_index(idx_path, f->idx_heap, len);
    return ERR_OK;
}

enum errc coinfile_open(const char *path, const char *idx_path,
                        const uint8_t want_root[32], struct coinfile **out,
                        struct err *err)
{
    CLEANUP(coinfile_close) struct coinfile *f = xcalloc(1, sizeof(*f));
    enum errc rc = map_file(path, COINHEAD_BYTES, COINFILE_BYTES_MAX, &f->map, err);

    if (!rc)
        rc = coinhead_decode(f->map.bytes, &f->info.id, err);
    if (rc)
        return rc;
    if (use_index(f, idx_path, want_root))
        describe(f);
    else
        rc = rebuild_index(f, path, idx_path, want_root, err);
    if (rc)
        return rc;
    *out = TAKE(f);
    return ERR_OK;
}

const struct coinfile_info *coinfile_info(const struct coinfile *f)
{
    return &f->info;
}

/* Racing threads may both hash; neither reads a record before one did. */
static enum errc check_chunk(struct coinfile *f, uint32_t i, struct err *err)
{
    struct coinidx_chunk c = coinidx_chunk(&f->ix, i);
    uint8_t sha[32];

    if (atomic_load_explicit(&f->checked[i], memory_order_acquire))
        return ERR_OK;
    hash_sha256(f->map.bytes + c.offset, c.len, sha);
    if (memcmp(sha, c.sha256, sizeof(sha)) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "coin file: chunk %u at byte %llu lost its hash", i,
                        (unsigned long long)c.offset);
    coinpass_drop(f->map.bytes, c.offset, c.offset + c.len);
    atomic_store_explicit(&f->checked[i], true, memory_order_release);
    return ERR_OK;
}

static enum errc not_a_coin(uint64_t at, struct err *err)
{
    return err_fail(err, REASON_STORAGE_CORRUPT, "coin file: no coin at byte %llu",
                    (unsigned long long)at);
}

enum errc coinfile_find(struct coinfile *f, const struct outpoint *at, bool *found,
                        struct coin *out, struct err *err)
{
    uint8_t key[COINREC_KEY];
    uint64_t from, end;
    uint32_t chunk;
    enum errc rc;

    coinrec_key(at, key);
    *found = false;
    if (!coinidx_seek(&f->ix, key, &from, &end, &chunk))
        return ERR_OK;
    rc = check_chunk(f, chunk, err);
    while (!rc && from < end) {
        const uint8_t *rec = f->map.bytes + from;
        size_t len = coinrec_length(rec, (size_t)(end - from));
        int order = len > 0 ? memcmp(rec, key, COINREC_KEY) : 0;
        u128 atto;

        if (order > 0)
            break;
        if (len == 0 || (order == 0 && coinrec_check(rec, len, &atto) != len))
            return not_a_coin(from, err);
        if (order == 0) {
            coinrec_decode(rec, out);
            *found = true;
            break;
        }
        from += len;
    }
    return rc;
}

struct scan {
    enum errc (*each)(void *arg, const struct coin *coin, struct err *err);
    void *arg;
    const uint8_t *last; /* record */
};

static enum errc scan_chunk(struct coinfile *f, const struct coinidx_chunk *c,
                            struct scan *s, struct err *err)
{
    uint64_t at = c->offset, end = c->offset + c->len;
    enum errc rc = ERR_OK;

    while (!rc && at < end) {
        const uint8_t *rec = f->map.bytes + at;
        struct coin coin;
        u128 atto;
        size_t len = coinrec_check(rec, (size_t)(end - at), &atto);

        if (len == 0 || (s->last && memcmp(s->last, rec, COINREC_KEY) >= 0))
            return not_a_coin(at, err);
        coinrec_decode(rec, &coin);
        rc = s->each(s->arg, &coin, err);
        s->last = rec;
        at += len;
    }
    coinpass_drop(f->map.bytes, c->offset, end);
    return rc;
}

enum errc coinfile_scan(struct coinfile *f,
                        enum errc (*each)(void *arg, const struct coin *coin,
                                          struct err *err),
                        void *arg, struct err *err)
{
    struct scan s = {.each = each, .arg = arg};
    enum errc rc = ERR_OK;

    for (uint32_t i = 0; i < f->ix.chunk_count && !rc; i++) {
        struct coinidx_chunk c = coinidx_chunk(&f->ix, i);

        rc = check_chunk(f, i, err);
        if (!rc)
            rc = scan_chunk(f, &c, &s, err);
    }
    return rc;
}

enum errc coinfile_verify(struct coinfile *f, struct err *err)
{
    AUTOFREE uint8_t *idx = NULL;
    struct coinfile_id id;
    size_t len;
    enum errc rc = coinhead_decode(f->map.bytes, &id, err);

    if (!rc)
        rc = coinpass_run(f->map.bytes, f->map.len, &idx, &len, err);
    if (rc)
        return rc;
    /* The index is a function of the file: a chunk that changed shows in its row. */
    if (len != f->ix.len || memcmp(idx, f->ix.bytes, len) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "coin file is not the one its index was made of");
    return ERR_OK;
}
