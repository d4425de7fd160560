#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hex.h"
#include "base/mem.h"
#include "store/coinfile_impl.h"
#include "store/coinpass.h"

static enum errc map_file(const char *path, uint64_t min, uint64_t max,
                          struct mapping *out, struct err *err)
{
    /* O_NONBLOCK: a FIFO of that name must not hang us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum errc rc = ERR_OK;
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return err_fail(err, REASON_STORAGE_CORRUPT, "%s is gone", path);
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
    good = durable_write(fd, idx, len, tmp, &ignored) == ERR_OK;
    (void)close(fd);
    if (!good || durable_rename(tmp, idx_path, &ignored) != ERR_OK)
        (void)unlink(tmp);
}

static enum errc rebuild_index(struct coinfile *f, const char *path,
                               const char *idx_path, const uint8_t *want_root,
                               struct err *err)
{
    char have[65], want[65];
    size_t len;
    enum errc rc =
        coinpass_run(f->map.bytes, f->map.len, &f->idx_heap, &len, NULL, err);

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
