#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "store/coinidx_layout.h"
#include "store/coinparts.h"

enum {               /* a slot */
       AT_CHUNK = 0, /* SHA-256 of the raw chunk */
       AT_TOTAL = 32,
       AT_FIRST_LEN = 48,
       AT_COUNT = 52, /* of keys */
       AT_KEYS = 56,
       AT_SUM = AT_KEYS + COINPART_KEYS_MAX * COINPART_KEY,
       SLOT = AT_SUM + 32,
};

struct coinparts {
    const struct chunktable *table;
    char *path;
    int fd;
};

enum errc coinparts_open(const char *path, const struct chunktable *t,
                         struct coinparts **out, struct err *err)
{
    CLEANUP(coinparts_free) struct coinparts *p = xcalloc(1, sizeof(*p));

    p->table = t;
    p->path = xstrdup(path);
    p->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (p->fd < 0)
        return err_errno(err, "open %s", path);
    *out = TAKE(p);
    return ERR_OK;
}

void coinparts_free(struct coinparts *p)
{
    if (!p)
        return;
    if (p->fd >= 0)
        (void)close(p->fd);
    free(p->path);
    free(p);
}

/* What the slot's hash is over: what is used of it, and what it is of. */
static void sum_of(const uint8_t *slot, uint8_t out[32])
{
    size_t keys = (size_t)bytes_le32(slot + AT_COUNT) * COINPART_KEY;

    hash_sha256(slot, AT_KEYS + keys, out);
}

enum errc coinparts_put(const struct coinparts *p, uint32_t i,
                        const struct coinpart *part, struct err *err)
{
    AUTOFREE uint8_t *slot = xcalloc(1, SLOT);
    struct chunktable_row row;

    chunktable_row(p->table, i, &row);
    memcpy(slot + AT_CHUNK, row.raw_sha256, 32);
    u128_store(part->total, slot + AT_TOTAL);
    bytes_put_le32(slot + AT_FIRST_LEN, part->first_len);
    bytes_put_le32(slot + AT_COUNT, part->key_count);
    memcpy(slot + AT_KEYS, part->keys, (size_t)part->key_count * COINPART_KEY);
    sum_of(slot, slot + AT_SUM);
    for (size_t done = 0; done < SLOT;) {
        ssize_t n =
            pwrite(p->fd, slot + done, SLOT - done, (off_t)i * SLOT + (off_t)done);

        if (n < 0 && errno != EINTR)
            return err_errno(err, "write %s", p->path);
        if (n > 0)
            done += (size_t)n;
    }
    return ERR_OK;
}

static bool read_slot(const struct coinparts *p, uint32_t i, uint8_t slot[SLOT])
{
    struct chunktable_row row;
    uint8_t sum[32];

    for (size_t done = 0; done < SLOT;) {
        ssize_t n =
            pread(p->fd, slot + done, SLOT - done, (off_t)i * SLOT + (off_t)done);

        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        if (n > 0)
            done += (size_t)n;
    }
    if (bytes_le32(slot + AT_COUNT) > COINPART_KEYS_MAX)
        return false;
    sum_of(slot, sum);
    chunktable_row(p->table, i, &row);
    return memcmp(sum, slot + AT_SUM, sizeof(sum)) == 0 &&
           memcmp(slot + AT_CHUNK, row.raw_sha256, 32) == 0 &&
           bytes_le64(slot + AT_KEYS + COINIDX_KEY_OFFSET) == row.raw_offset;
}

bool coinparts_has(const struct coinparts *p, uint32_t i)
{
    AUTOFREE uint8_t *slot = xcalloc(1, SLOT);

    return read_slot(p, i, slot);
}

enum errc coinparts_sync(const struct coinparts *p, struct err *err)
{
    return durable_sync(p->fd, p->path, err);
}

/* --- the index --- */

/* A file written from the first byte to the last, and hashed on the way. */
struct output {
    int fd;
    const char *path;
    struct hasher *hash;
    size_t used;
    uint8_t bytes[1 << 16];
};

static enum errc flush(struct output *o, struct err *err)
{
    enum errc rc = durable_write(o->fd, o->bytes, o->used, o->path, err);

    hasher_add(o->hash, o->bytes, o->used);
    o->used = 0;
    return rc;
}

static enum errc put(struct output *o, const uint8_t *bytes, size_t len,
                     struct err *err)
{
    enum errc rc = ERR_OK;

    if (o->used + len > sizeof(o->bytes)) /* len: at most a slot's keys */
        rc = flush(o, err);
    memcpy(o->bytes + o->used, bytes, len);
    o->used += len;
    return rc;
}

struct sums {
    u128 total;
    uint64_t keys, coins, bytes;
};

static enum errc missing(const struct coinparts *p, uint32_t i, struct err *err)
{
    return err_fail(err, REASON_STORAGE_CORRUPT, "%s: no sound slot of chunk %u",
                    p->path, i);
}

/* The chunk rule: the next record would not have fitted. */
static bool ends_early(const struct chunktable_row *before, const uint8_t *slot)
{
    return (uint64_t)before->raw_bytes + bytes_le32(slot + AT_FIRST_LEN) <=
           COINFILE_CHUNK_MAX;
}

static enum errc add_up(const struct coinparts *p, uint8_t *slot, struct sums *out,
                        struct err *err)
{
    struct chunktable_row row = {.raw_bytes = COINFILE_CHUNK_MAX};

    *out = (struct sums){.bytes = COINHEAD_BYTES};
    for (uint32_t i = 0; i < chunktable_count(p->table); i++) {
        if (!read_slot(p, i, slot))
            return missing(p, i, err);
        if (ends_early(&row, slot))
            return err_fail(err, REASON_PAYLOAD_MALFORMED,
                            "chunk %u has room for the first coin of the next", i - 1);
        chunktable_row(p->table, i, &row);
        out->total += u128_load(slot + AT_TOTAL);
        out->keys += bytes_le32(slot + AT_COUNT);
        out->coins += row.coins;
        out->bytes += row.raw_bytes;
    }
    return ERR_OK;
}

static enum errc put_head(struct output *o, const struct coinfile_id *id,
                          uint32_t chunks, const struct sums *sums, struct err *err)
{
    uint8_t head[COINIDX_TABLE];

    memcpy(head + COINIDX_MAGIC, coinidx_magic, sizeof(coinidx_magic));
    bytes_put_le32(head + COINIDX_VERSION, COINIDX_FORMAT);
    bytes_put_le32(head + COINIDX_CHUNKS, chunks);
    bytes_put_le64(head + COINIDX_SPARSE, sums->keys);
    bytes_put_le64(head + COINIDX_FILE_BYTES, sums->bytes);
    bytes_put_le64(head + COINIDX_COINS, sums->coins);
    u128_store(sums->total, head + COINIDX_TOTAL);
    if (coinhead_encode(id, head + COINIDX_HEAD, err))
        return err->code;
    return put(o, head, sizeof(head), err);
}

static enum errc put_chunks(struct output *o, const struct chunktable *t,
                            struct err *err)
{
    for (uint32_t i = 0; i < chunktable_count(t); i++) {
        uint8_t out[COINIDX_ROW];
        struct chunktable_row row;

        chunktable_row(t, i, &row);
        bytes_put_le64(out + COINIDX_ROW_OFFSET, row.raw_offset);
        bytes_put_le32(out + COINIDX_ROW_LEN, row.raw_bytes);
        bytes_put_le32(out + COINIDX_ROW_COUNT, row.coins);
        memcpy(out + COINIDX_ROW_KEY, row.first_key, COINREC_KEY);
        memcpy(out + COINIDX_ROW_SHA, row.raw_sha256, 32);
        if (put(o, out, sizeof(out), err))
            return err->code;
    }
    return ERR_OK;
}

static enum errc put_keys(struct output *o, const struct coinparts *p, uint8_t *slot,
                          struct err *err)
{
    for (uint32_t i = 0; i < chunktable_count(p->table); i++) {
        if (!read_slot(p, i, slot))
            return missing(p, i, err);
        if (put(o, slot + AT_KEYS, (size_t)bytes_le32(slot + AT_COUNT) * COINPART_KEY,
                err))
            return err->code;
    }
    return ERR_OK;
}

static enum errc put_sum(struct output *o, struct err *err)
{
    uint8_t sum[COINIDX_SUM];
    enum errc rc = flush(o, err);

    if (rc)
        return rc;
    hasher_finish(o->hash, sum);
    rc = durable_write(o->fd, sum, sizeof(sum), o->path, err);
    return rc ? rc : durable_sync(o->fd, o->path, err);
}

static enum errc write_index(const struct coinparts *p, const struct coinfile_id *id,
                             const struct sums *sums, struct output *o, uint8_t *slot,
                             struct err *err)
{
    enum errc rc = put_head(o, id, chunktable_count(p->table), sums, err);

    if (!rc)
        rc = put_chunks(o, p->table, err);
    if (!rc)
        rc = put_keys(o, p, slot, err);
    return rc ? rc : put_sum(o, err);
}

enum errc coinparts_finish(const struct coinparts *p, const struct coinfile_id *id,
                           u128 total, const char *idx_path, struct err *err)
{
    AUTOFREE uint8_t *slot = xcalloc(1, SLOT);
    AUTOFREE struct output *o = xcalloc(1, sizeof(*o));
    CLEANUP(hasher_free) struct hasher *hash = hasher_create();
    struct sums sums;
    enum errc rc = add_up(p, slot, &sums, err);

    if (rc)
        return rc;
    if (sums.total != total)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "the coins do not add up to the manifest's total");
    o->path = idx_path;
    o->hash = hash;
    o->fd = open(idx_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (o->fd < 0)
        return err_errno(err, "create %s", idx_path);
    rc = write_index(p, id, &sums, o, slot, err);
    (void)close(o->fd);
    return rc ? rc : durable_sync_dir_of(idx_path, err);
}
