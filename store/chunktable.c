#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/bytes.h"
#include "store/chunktable.h"
#include "store/coinhead.h"
#include "store/coinpass.h"
#include "store/coinroot.h"

enum { /* a row */
       AT_KEY = 0,
       AT_RAW = COINREC_KEY,
       AT_FRAME = AT_RAW + 4,
       AT_COINS = AT_FRAME + 4,
       AT_RAW_SHA = AT_COINS + 4,
       AT_FRAME_SHA = AT_RAW_SHA + 32,
       MARK = 64, /* rows from one pair of known offsets to the next */
};
_Static_assert(AT_FRAME_SHA + 32 == CHUNKTABLE_ROW, "a row");

static const char magic[CHUNKTABLE_HEAD] = "CAIRNCT1"; /* no NUL */

struct offsets {
    uint64_t raw, frame;
};

struct chunktable {
    const uint8_t *bytes;
    void *map; /* of them; NULL: borrowed */
    size_t len;
    uint32_t count;
    struct offsets *marks; /* of each MARKth row */
};

static const uint8_t *row_at(const struct chunktable *t, uint32_t i)
{
    return t->bytes + CHUNKTABLE_HEAD + (size_t)i * CHUNKTABLE_ROW;
}

uint64_t chunktable_bytes(uint32_t chunks)
{
    return CHUNKTABLE_HEAD + (uint64_t)chunks * CHUNKTABLE_ROW;
}

uint32_t chunktable_count(const struct chunktable *t)
{
    return t->count;
}

static void step(struct offsets *at, const uint8_t *row)
{
    at->raw += bytes_le32(row + AT_RAW);
    at->frame += bytes_le32(row + AT_FRAME);
}

void chunktable_row(const struct chunktable *t, uint32_t i, struct chunktable_row *out)
{
    struct offsets at = t->marks[i / MARK];
    const uint8_t *row = row_at(t, i);

    for (uint32_t k = i / MARK * MARK; k < i; k++)
        step(&at, row_at(t, k));
    *out = (struct chunktable_row){
        .raw_bytes = bytes_le32(row + AT_RAW),
        .frame_bytes = bytes_le32(row + AT_FRAME),
        .coins = bytes_le32(row + AT_COINS),
        .raw_offset = at.raw,
        .frame_offset = at.frame,
        .last = i + 1 == t->count,
    };
    memcpy(out->first_key, row + AT_KEY, COINREC_KEY);
    memcpy(out->raw_sha256, row + AT_RAW_SHA, 32);
    memcpy(out->frame_sha256, row + AT_FRAME_SHA, 32);
    if (!out->last)
        memcpy(out->next_key, row_at(t, i + 1) + AT_KEY, COINREC_KEY);
}

uint32_t chunktable_of_frame(const struct chunktable *t, uint64_t frame_offset)
{
    uint32_t low = 0, high = (t->count + MARK - 1) / MARK, i;
    struct offsets at;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (t->marks[mid].frame <= frame_offset)
            low = mid;
        else
            high = mid;
    }
    at = t->marks[low];
    for (i = low * MARK; i + 1 < t->count; i++) {
        step(&at, row_at(t, i));
        if (at.frame > frame_offset)
            break;
    }
    return i;
}

uint32_t chunktable_of_key(const struct chunktable *t, const uint8_t key[COINREC_KEY])
{
    uint32_t low = 0, high = t->count;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (memcmp(row_at(t, mid) + AT_KEY, key, COINREC_KEY) <= 0)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* --- checking --- */

static enum errc lie(struct err *err, uint32_t i, const char *what)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "chunk table: row %u: %s", i, what);
}

/* The sizes that a chunk can have by the chunk rule, and its frame by what zstd adds at
   most (ZSTD_COMPRESSBOUND). */
static const char *fault_of(const struct chunktable *t, uint32_t i)
{
    const uint8_t *row = row_at(t, i);
    uint64_t raw = bytes_le32(row + AT_RAW), frame = bytes_le32(row + AT_FRAME);
    uint64_t coins = bytes_le32(row + AT_COINS);
    bool last = i + 1 == t->count;

    if (raw > COINFILE_CHUNK_MAX || (!last && raw <= COINFILE_CHUNK_MAX - COINREC_MAX))
        return "no size of a chunk";
    if (coins == 0 || raw < coins * COINREC_MIN || raw > coins * COINREC_MAX)
        return "coins that cannot have this size";
    if (frame == 0 || frame > raw + raw / 256 + 64)
        return "no size of a frame";
    if (!last && memcmp(row + AT_KEY, row_at(t, i + 1) + AT_KEY, COINREC_KEY) >= 0)
        return "keys do not ascend";
    return NULL;
}

static enum errc check_rows(const struct chunktable *t,
                            const struct chunktable_want *want, struct err *err)
{
    struct offsets at = {.raw = COINHEAD_BYTES};
    uint64_t coins = 0;

    for (uint32_t i = 0; i < t->count; i++) {
        const char *fault = fault_of(t, i);

        if (fault)
            return lie(err, i, fault);
        if (i % MARK == 0)
            t->marks[i / MARK] = at;
        step(&at, row_at(t, i));
        coins += bytes_le32(row_at(t, i) + AT_COINS);
    }
    if (at.raw != want->bytes || at.frame != want->frames_bytes || coins != want->coins)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "chunk table: its sums are not the manifest's");
    return ERR_OK;
}

static enum errc check_root(const struct chunktable *t,
                            const struct chunktable_want *want, struct err *err)
{
    AUTOFREE uint8_t *leaves = xcalloc((size_t)t->count + 1, 32);
    uint8_t root[32];

    for (uint32_t i = 0; i < t->count; i++)
        memcpy(leaves + (size_t)i * 32, row_at(t, i) + AT_RAW_SHA, 32);
    coinroot_compute(leaves, t->count, want->coins, want->total, root);
    if (memcmp(root, want->state_root, sizeof(root)) != 0)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "chunk table: its state root is not the manifest's");
    return ERR_OK;
}

/* In pieces, so that a mapped one is not all in memory. */
static void hash_pages(const struct chunktable *t, uint8_t out[32])
{
    enum { PIECE = 1 << 22 };
    CLEANUP(hasher_free) struct hasher *h = hasher_create();

    for (size_t at = 0; at < t->len; at += PIECE) {
        size_t n = t->len - at < PIECE ? t->len - at : PIECE;

        hasher_add(h, t->bytes + at, n);
        if (t->map)
            coinpass_drop(t->bytes, at, at + n);
    }
    hasher_finish(h, out);
}

static enum errc check(struct chunktable *t, const struct chunktable_want *want,
                       struct err *err)
{
    uint8_t sha[32];
    enum errc rc;

    if (want->chunks > CHUNKTABLE_CHUNKS_MAX)
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "chunk table: over %d chunks",
                        CHUNKTABLE_CHUNKS_MAX);
    if (t->len != chunktable_bytes(want->chunks))
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "chunk table: %zu bytes, not %llu", t->len,
                        (unsigned long long)chunktable_bytes(want->chunks));
    hash_pages(t, sha);
    if (memcmp(sha, want->sha256, sizeof(sha)) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "chunk table: not the one the manifest names");
    if (memcmp(t->bytes, magic, sizeof(magic)) != 0)
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "chunk table: no such format");
    t->count = want->chunks;
    t->marks = xcalloc((size_t)t->count / MARK + 1, sizeof(*t->marks));
    rc = check_rows(t, want, err);
    return rc ? rc : check_root(t, want, err);
}

enum errc chunktable_read(const uint8_t *bytes, size_t len,
                          const struct chunktable_want *want, struct chunktable **out,
                          struct err *err)
{
    CLEANUP(chunktable_free) struct chunktable *t = xcalloc(1, sizeof(*t));

    t->bytes = bytes;
    t->len = len;
    if (check(t, want, err))
        return err->code;
    *out = TAKE(t);
    return ERR_OK;
}

/* *map NULL, and no error, for a file that is empty or no table by its size. */
static enum errc map_file(const char *path, void **map, size_t *len, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    *map = MAP_FAILED;
    if (fd < 0 || fstat(fd, &st) != 0) {
        enum errc rc = err_errno(err, "open %s", path);

        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    *len = (size_t)st.st_size;
    if (S_ISREG(st.st_mode) && st.st_size >= CHUNKTABLE_HEAD)
        *map = mmap(NULL, *len, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (*map == MAP_FAILED)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "chunk table: %s is none by its size", path);
    return ERR_OK;
}

enum errc chunktable_open(const char *path, const struct chunktable_want *want,
                          struct chunktable **out, struct err *err)
{
    CLEANUP(chunktable_free) struct chunktable *t = xcalloc(1, sizeof(*t));
    void *map;
    enum errc rc = map_file(path, &map, &t->len, err);

    if (rc)
        return rc;
    t->bytes = t->map = map;
    if (check(t, want, err))
        return err->code;
    *out = TAKE(t);
    return ERR_OK;
}

void chunktable_free(struct chunktable *t)
{
    if (!t)
        return;
    if (t->map)
        (void)munmap(t->map, t->len);
    free(t->marks);
    free(t);
}

void chunktable_head_write(uint8_t out[CHUNKTABLE_HEAD])
{
    memcpy(out, magic, sizeof(magic));
}

void chunktable_row_write(const struct chunktable_row *row, uint8_t out[CHUNKTABLE_ROW])
{
    memcpy(out + AT_KEY, row->first_key, COINREC_KEY);
    bytes_put_le32(out + AT_RAW, row->raw_bytes);
    bytes_put_le32(out + AT_FRAME, row->frame_bytes);
    bytes_put_le32(out + AT_COINS, row->coins);
    memcpy(out + AT_RAW_SHA, row->raw_sha256, 32);
    memcpy(out + AT_FRAME_SHA, row->frame_sha256, 32);
}
