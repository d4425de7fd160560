#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/coinhead.h"
#include "sync/body_files.h"

struct body_files *body_files_ref(struct body_files *f)
{
    atomic_fetch_add(&f->refs, 1);
    return f;
}

void body_files_unref(struct body_files *f)
{
    if (!f || atomic_fetch_sub(&f->refs, 1) > 1)
        return;
    body_keep_free(f->keep);
    coinparts_free(f->parts);
    chunktable_free(f->table);
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f->coins);
    free(f->idx);
    free(f);
}

static enum errc write_at(const struct body_files *f, const uint8_t *bytes, size_t len,
                          uint64_t at, struct err *err)
{
    return durable_write_at(f->fd, bytes, len, at, f->coins, err);
}

/* Its size from the start: what lies between the chunks that are there is a hole. */
static enum errc open_coins(struct body_files *f, const struct manifest *m,
                            struct err *err)
{
    uint8_t head[COINHEAD_BYTES];

    f->fd = open(f->coins, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->fd < 0)
        return err_errno(err, "create %s", f->coins);
    if (ftruncate(f->fd, (off_t)m->bytes) != 0)
        return err_errno(err, "size of %s", f->coins);
    if (coinhead_encode(&f->id, head, err))
        return err->code;
    return write_at(f, head, sizeof(head), 0, err);
}

enum errc body_files_open(const struct body_paths *paths, const struct manifest *m,
                          struct body_files **out, struct err *err)
{
    CLEANUP(body_files_unref) struct body_files *f = xcalloc(1, sizeof(*f));
    const struct chunktable_want want = manifest_table(m);

    atomic_init(&f->refs, 1);
    f->fd = -1;
    f->id = manifest_coinfile_id(m);
    f->total = m->total;
    f->coins = xstrdup(paths->coins);
    f->idx = xstrdup(paths->idx);
    if (chunktable_open(paths->table, &want, &f->table, err) || open_coins(f, m, err) ||
        coinparts_open(paths->parts, f->table, &f->parts, err))
        return err->code;
    f->keep = body_keep_open(paths->shelf, m);
    *out = TAKE(f);
    return ERR_OK;
}

enum errc body_files_take(struct body_files *f, struct frame *frame, uint32_t i,
                          const uint8_t *bytes, uint8_t *raw, struct err *err)
{
    AUTOFREE struct coinpart *part = xrealloc(NULL, sizeof(*part));
    struct chunktable_row row;

    chunktable_row(f->table, i, &row);
    if (frame_open(frame, &row, bytes, raw, part, err) ||
        write_at(f, raw, row.raw_bytes, row.raw_offset, err))
        return err->code;
    body_keep_put(f->keep, &row, bytes);
    /* To the disk while the rest comes, so that the end has little to wait for. */
    (void)sync_file_range(f->fd, (off64_t)row.raw_offset, (off64_t)row.raw_bytes,
                          SYNC_FILE_RANGE_WRITE);
    return coinparts_put(f->parts, i, part, err);
}

static bool read_at(const struct body_files *f, uint8_t *out, size_t len, uint64_t at)
{
    while (len > 0) {
        ssize_t n = pread(f->fd, out, len, (off_t)at);

        if (n <= 0)
            return false;
        out += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

static bool is_there(struct body_files *f, uint32_t i, const struct chunktable_row *row,
                     uint8_t *raw)
{
    AUTOFREE struct coinpart *part = NULL;
    uint8_t sha[32];
    struct err err;

    if (lseek(f->fd, (off_t)row->raw_offset, SEEK_DATA) != (off_t)row->raw_offset ||
        !read_at(f, raw, row->raw_bytes, row->raw_offset))
        return false;
    if (coinparts_has(f->parts, i)) {
        hash_sha256(raw, row->raw_bytes, sha);
        return memcmp(sha, row->raw_sha256, sizeof(sha)) == 0;
    }
    part = xrealloc(NULL, sizeof(*part));
    return frame_check_raw(row, raw, part, &err) == ERR_OK &&
           coinparts_put(f->parts, i, part, &err) == ERR_OK;
}

bool body_files_have(struct body_files *f, uint32_t i, uint8_t *raw)
{
    struct chunktable_row row;

    chunktable_row(f->table, i, &row);
    if (!is_there(f, i, &row, raw))
        return false;
    body_keep_restore(f->keep, &row, raw);
    return true;
}

enum errc body_files_finish(struct body_files *f, const char *table,
                            const struct manifest *m, struct err *err)
{
    body_keep_finish(f->keep, table, m);
    if (durable_sync(f->fd, f->coins, err) ||
        coinparts_finish(f->parts, &f->id, f->total, f->idx, err))
        return err->code;
    return durable_sync_dir_of(f->coins, err);
}
