#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "sync/bundle/bundle.h"
#include "sync/bundle/bundle_body.h"
#include "sync/bundle/bundle_chain.h"
#include "sync/bundle/bundle_out.h"
#include "sync/bundle/bundle_part.h"

struct bundle {
    char *path;
    int fd;
    uint64_t at, bytes; /* read up to here; of the file */
    struct hasher *hasher;
    struct manifest *manifest;
};

static enum errc malformed(const struct bundle *b, const char *what, struct err *err)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "bundle: %s at byte %llu", what,
                    (unsigned long long)b->at);
}

/* The next bytes, which the hash after the headers is over. */
static enum errc take(struct bundle *b, void *out, size_t len, struct err *err)
{
    if (bundle_body_read(b->fd, b->at, out, len, b->path, err))
        return err->code;
    hasher_add(b->hasher, out, len);
    b->at += len;
    return ERR_OK;
}

static enum errc take_length(struct bundle *b, size_t max, size_t *out, struct err *err)
{
    uint8_t le[BUNDLE_PART_LENGTH];
    uint32_t n;

    if (take(b, le, sizeof(le), err))
        return err->code;
    n = bundle_part_length(le);
    if (n == 0 || n > max)
        return malformed(b, "no length that this can have", err);
    *out = n;
    return ERR_OK;
}

static enum errc take_manifest(struct bundle *b, struct err *err)
{
    AUTOFREE char *text = NULL;
    size_t len = 0;

    if (take_length(b, MANIFEST_MAX, &len, err))
        return err->code;
    text = xcalloc(1, len);
    if (take(b, text, len, err))
        return err->code;
    return manifest_parse(text, len, &b->manifest, err);
}

static enum errc open_file(struct bundle *b, const char *path, struct err *err)
{
    struct stat st;

    b->path = xstrdup(path);
    b->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (b->fd < 0 || fstat(b->fd, &st) != 0)
        return err_errno(err, "open %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "%s is no file", path);
    b->bytes = (uint64_t)st.st_size;
    return ERR_OK;
}

enum errc bundle_open(const char *path, struct bundle **out, struct err *err)
{
    CLEANUP(bundle_close) struct bundle *b = xcalloc(1, sizeof(*b));
    char magic[BUNDLE_MAGIC_LEN];

    b->fd = -1;
    b->hasher = hasher_create();
    if (open_file(b, path, err) || take(b, magic, sizeof(magic), err))
        return err->code;
    if (memcmp(magic, BUNDLE_MAGIC, sizeof(magic)) != 0)
        return err_fail(err, REASON_PAYLOAD_MALFORMED, "%s is no bundle", path);
    if (take_manifest(b, err))
        return err->code;
    *out = TAKE(b);
    return ERR_OK;
}

void bundle_close(struct bundle *b)
{
    if (!b)
        return;
    if (b->fd >= 0)
        (void)close(b->fd);
    hasher_free(b->hasher);
    manifest_free(b->manifest);
    free(b->path);
    free(b);
}

const struct manifest *bundle_manifest(const struct bundle *b)
{
    return b->manifest;
}

struct headers { /* being read; large */
    struct bundle *b;
    struct bundle_out *to; /* or NULL */
    struct bundle_chain chain;
    struct header room[BUNDLE_BATCH];
    uint8_t bytes[HEADERS_WIRE_BYTES_MAX];
};

/* Only the compact form, and all of them. */
static enum errc take_batch(struct headers *s, uint64_t from, size_t count,
                            struct err *err)
{
    struct headers_wire_batch batch = {.from = from, .room = s->room, .max = count};
    size_t len = 0;

    if (take_length(s->b, HEADERS_WIRE_BYTES_MAX, &len, err) ||
        take(s->b, s->bytes, len, err) ||
        bundle_part_headers(s->bytes, len, &batch, err))
        return err->code;
    for (size_t i = 0; i < count; i++)
        if (bundle_chain_take(&s->chain, &s->room[i], err))
            return err->code;
    return s->to ? bundle_out_headers(s->to, s->bytes, len, err) : ERR_OK;
}

static enum errc take_headers(struct bundle *b, const struct chain_params *params,
                              struct bundle_out *to, _Atomic uint64_t *done,
                              struct err *err)
{
    AUTOFREE struct headers *s = xcalloc(1, sizeof(*s));
    uint64_t all = b->manifest->height + 1, began = b->at;

    s->b = b;
    s->to = to;
    if (bundle_chain_begin(&s->chain, params, b->manifest, err))
        return err->code;
    for (uint64_t from = 0; from < all; from += BUNDLE_BATCH) {
        uint64_t left = all - from;

        if (take_batch(s, from, left < BUNDLE_BATCH ? (size_t)left : BUNDLE_BATCH, err))
            return err->code;
        atomic_fetch_add(done, b->at - began);
        began = b->at;
    }
    return bundle_chain_end(&s->chain, b->manifest, err);
}

static enum errc check_hash(struct bundle *b, struct err *err)
{
    uint8_t want[32], is[32];

    hasher_finish(b->hasher, want);
    if (bundle_body_read(b->fd, b->at, is, sizeof(is), b->path, err))
        return err->code;
    if (memcmp(want, is, sizeof(is)) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "bundle: manifest or headers are not what was written");
    b->at += sizeof(is);
    return ERR_OK;
}

static enum errc check_size(const struct bundle *b, struct err *err)
{
    uint64_t want =
        b->at + chunktable_bytes(b->manifest->chunk_count) + b->manifest->frames_bytes;

    if (b->bytes != want)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "bundle: %llu bytes, and it should have %llu",
                        (unsigned long long)b->bytes, (unsigned long long)want);
    return ERR_OK;
}

enum errc bundle_read(struct bundle *b, const struct chain_params *params,
                      const char *dir, _Atomic uint64_t *done, struct err *err)
{
    CLEANUP(bundle_out_free) struct bundle_out *to = NULL;
    struct bundle_place from = {.table_fd = b->fd, .frames_fd = b->fd, .name = b->path};

    if (manifest_check_signatures(b->manifest, err) ||
        (dir && bundle_out_create(dir, b->manifest, &to, err)) ||
        take_headers(b, params, to, done, err) || check_hash(b, err) ||
        check_size(b, err))
        return err->code;
    from.table_at = b->at;
    from.frames_at = b->at + chunktable_bytes(b->manifest->chunk_count);
    if (bundle_body_pass(b->manifest, &from, to ? bundle_out_place(to) : NULL, done,
                         err))
        return err->code;
    return to ? bundle_out_finish(to, err) : ERR_OK;
}
