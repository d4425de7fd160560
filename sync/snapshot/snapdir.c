#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "sync/snapshot/snapdir.h"

struct snapdir {
    struct manifest *manifest;
    struct chunktable *table;
    struct frame *frame;
    char *frames_path;
    int frames_fd;
    uint8_t packed[CHUNKTABLE_FRAME_MAX], raw[COINFILE_CHUNK_MAX];
    struct coinpart part;
};

static enum errc open_manifest(const char *dir, struct manifest **out, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/%s", dir, SNAPDIR_MANIFEST);

    return manifest_read(path, out, err);
}

static enum errc open_table(struct snapdir *s, const char *dir, struct err *err)
{
    AUTOFREE char *path = xasprintf("%s/%s", dir, SNAPDIR_TABLE);
    const struct chunktable_want want = manifest_table(s->manifest);

    return chunktable_open(path, &want, &s->table, err);
}

static enum errc open_frames(struct snapdir *s, const char *dir, struct err *err)
{
    struct stat st;

    s->frames_path = xasprintf("%s/%s", dir, SNAPDIR_FRAMES);
    s->frames_fd = open(s->frames_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->frames_fd < 0 || fstat(s->frames_fd, &st) != 0)
        return err_errno(err, "open %s", s->frames_path);
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != s->manifest->frames_bytes)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "%s: not the %llu bytes of the manifest", s->frames_path,
                        (unsigned long long)s->manifest->frames_bytes);
    return ERR_OK;
}

enum errc snapdir_open(const char *path, struct snapdir **out, struct err *err)
{
    CLEANUP(snapdir_close) struct snapdir *s = xcalloc(1, sizeof(*s));

    s->frames_fd = -1;
    s->frame = frame_create();
    if (open_manifest(path, &s->manifest, err) || open_table(s, path, err) ||
        open_frames(s, path, err))
        return err->code;
    *out = TAKE(s);
    return ERR_OK;
}

void snapdir_close(struct snapdir *s)
{
    if (!s)
        return;
    if (s->frames_fd >= 0)
        (void)close(s->frames_fd);
    manifest_free(s->manifest);
    chunktable_free(s->table);
    frame_free(s->frame);
    free(s->frames_path);
    free(s);
}

const struct manifest *snapdir_manifest(const struct snapdir *s)
{
    return s->manifest;
}

const struct chunktable *snapdir_table(const struct snapdir *s)
{
    return s->table;
}

static enum errc read_frame(struct snapdir *s, const struct chunktable_row *row,
                            struct err *err)
{
    for (size_t done = 0; done < row->frame_bytes;) {
        ssize_t n = pread(s->frames_fd, s->packed + done, row->frame_bytes - done,
                          (off_t)(row->frame_offset + done));

        if (n < 0 && errno != EINTR)
            return err_errno(err, "read %s", s->frames_path);
        if (n == 0)
            return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH, "%s: cut off",
                            s->frames_path);
        if (n > 0)
            done += (size_t)n;
    }
    return ERR_OK;
}

static enum errc take_chunk(struct snapdir *s, uint32_t i, struct err *err)
{
    struct chunktable_row row;
    enum errc rc;

    chunktable_row(s->table, i, &row);
    rc = read_frame(s, &row, err);
    if (!rc)
        rc = frame_open(s->frame, &row, s->packed, s->raw, &s->part, err);
    if (rc)
        (void)err_wrap(err, "chunk %u", i);
    return rc;
}

enum errc snapdir_chunk(struct snapdir *s, uint32_t i, const uint8_t **raw,
                        const struct coinpart **part, struct err *err)
{
    enum errc rc = take_chunk(s, i, err);

    if (rc)
        return rc;
    *raw = s->raw;
    *part = &s->part;
    return ERR_OK;
}

struct walk {
    enum errc (*each)(void *arg, const struct coin *coin, struct err *err); /* NULL */
    void *arg;
    const atomic_bool *cancel; /* or NULL */
    _Atomic uint64_t *done;    /* or NULL */
};

static enum errc give_coins(const struct snapdir *s, const struct walk *w,
                            struct err *err)
{
    for (size_t at = 0; at < s->part.bytes;) {
        struct coin coin;
        enum errc rc;

        coinrec_decode(s->raw + at, &coin);
        rc = w->each(w->arg, &coin, err);
        if (rc)
            return rc;
        at += coinrec_length(s->raw + at, s->part.bytes - at);
    }
    return ERR_OK;
}

static enum errc walk_chunks(struct snapdir *s, const struct walk *w, struct err *err)
{
    uint64_t before = COINFILE_CHUNK_MAX; /* bytes of the chunk before */
    u128 total = 0;

    for (uint32_t i = 0; i < chunktable_count(s->table); i++) {
        enum errc rc;

        if (w->cancel && atomic_load(w->cancel))
            return err_set(err, ERR_CANCELED, "stopped on request");
        rc = take_chunk(s, i, err);
        if (!rc && before + s->part.first_len <= COINFILE_CHUNK_MAX)
            rc = err_fail(err, REASON_PAYLOAD_MALFORMED,
                          "chunk %u has room for the first coin of the next", i - 1);
        if (!rc && w->each)
            rc = give_coins(s, w, err);
        if (rc)
            return rc;
        before = s->part.bytes;
        total += s->part.total;
        if (w->done)
            atomic_fetch_add(w->done, before);
    }
    if (total != s->manifest->total)
        return err_fail(err, REASON_PAYLOAD_MALFORMED,
                        "the coins do not add up to the manifest's total");
    return ERR_OK;
}

enum errc snapdir_scan(struct snapdir *s,
                       enum errc (*each)(void *arg, const struct coin *coin,
                                         struct err *err),
                       void *arg, struct err *err)
{
    const struct walk w = {.each = each, .arg = arg};

    return walk_chunks(s, &w, err);
}

enum errc snapdir_verify(struct snapdir *s, const atomic_bool *cancel,
                         _Atomic uint64_t *done, struct err *err)
{
    const struct walk w = {.cancel = cancel, .done = done};

    return walk_chunks(s, &w, err);
}

enum errc snapdir_replace_manifest(const char *path, const struct manifest *m,
                                   struct err *err)
{
    AUTOFREE char *file = xasprintf("%s/%s", path, SNAPDIR_MANIFEST);
    CLEANUP(manifest_free) struct manifest *old = NULL;
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    uint8_t ours[32], theirs[32];

    if (manifest_read(file, &old, err))
        return err->code;
    manifest_digest(old, ours);
    manifest_digest(m, theirs);
    if (memcmp(ours, theirs, sizeof(ours)) != 0)
        return err_set(err, ERR_CONFLICT, "the manifest is of another snapshot");
    manifest_write(m, &text);
    return durable_replace(file, text.data, text.len, err);
}

enum errc snapdir_remove(const char *path, struct err *err)
{
    /* The manifest first: without it there is no snapshot. */
    static const char *const names[] = {SNAPDIR_MANIFEST, "manifest.json.part",
                                        SNAPDIR_TABLE, SNAPDIR_FRAMES, SNAPDIR_HEADERS};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTOFREE char *file = xasprintf("%s/%s", path, names[i]);

        if (unlink(file) != 0 && errno != ENOENT)
            return err_errno(err, "remove %s", file);
    }
    if (rmdir(path) != 0 && errno != ENOENT)
        return err_errno(err, "remove %s", path);
    return ERR_OK;
}
