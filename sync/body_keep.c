#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/coinpart.h"
#include "sync/body_keep.h"
#include "sync/intake.h"
#include "sync/snapshot/snapdir.h"

struct body_keep {
    char *dir, *whole, *frames;
    int fd;
    bool finished;
    atomic_bool lost; /* a frame could not be written, or be had again */
};

static void give_up(struct body_keep *k, const struct err *why)
{
    if (!atomic_exchange(&k->lost, true))
        log_warn("the snapshot is not kept for others, ignoring",
                 KV_S("detail", why->msg));
}

static enum errc open_files(struct body_keep *k, const char *shelf,
                            const struct manifest *m, struct err *err)
{
    if ((mkdir(shelf, 0700) != 0 && errno != EEXIST) ||
        (mkdir(k->dir, 0700) != 0 && errno != EEXIST))
        return err_errno(err, "create %s", k->dir);
    k->fd = open(k->frames, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (k->fd < 0 || ftruncate(k->fd, (off_t)m->frames_bytes) != 0)
        return err_errno(err, "create %s", k->frames);
    return ERR_OK;
}

struct body_keep *body_keep_open(const char *shelf, const struct manifest *m)
{
    CLEANUP(body_keep_free) struct body_keep *k = NULL;
    char id[MANIFEST_ID];
    struct err err;

    if (!shelf)
        return NULL;
    k = xcalloc(1, sizeof(*k));
    k->fd = -1;
    manifest_id(m, id);
    k->whole = xasprintf("%s/%s", shelf, id);
    k->dir = xasprintf("%s/%s.incomplete", shelf, id);
    k->frames = xasprintf("%s/" SNAPDIR_FRAMES, k->dir);
    if (access(k->whole, F_OK) == 0)
        return NULL;
    if (open_files(k, shelf, m, &err)) {
        give_up(k, &err);
        body_keep_drop(k);
        return NULL;
    }
    return TAKE(k);
}

void body_keep_drop(struct body_keep *k)
{
    static const char *const names[] = {SNAPDIR_FRAMES, SNAPDIR_TABLE,
                                        SNAPDIR_MANIFEST};

    if (!k)
        return;
    atomic_store(&k->lost, true);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTOFREE char *path = xasprintf("%s/%s", k->dir, names[i]);

        (void)unlink(path);
    }
    (void)rmdir(k->dir);
}

void body_keep_free(struct body_keep *k)
{
    if (!k)
        return;
    if (k->fd >= 0)
        (void)close(k->fd);
    free(k->dir);
    free(k->whole);
    free(k->frames);
    free(k);
}

void body_keep_put(struct body_keep *k, const struct chunktable_row *row,
                   const uint8_t *frame)
{
    struct err err;

    if (!k || atomic_load(&k->lost))
        return;
    if (durable_write_at(k->fd, frame, row->frame_bytes, row->frame_offset, k->frames,
                         &err))
        give_up(k, &err);
}

static bool is_frame(const struct chunktable_row *row, const uint8_t *frame)
{
    uint8_t sha[32];

    hash_sha256(frame, row->frame_bytes, sha);
    return memcmp(sha, row->frame_sha256, sizeof(sha)) == 0;
}

/* Packing is deterministic but for zstd's version. */
static bool pack_again(const struct chunktable_row *row, const uint8_t *raw,
                       uint8_t *frame)
{
    CLEANUP(frame_free) struct frame *f = frame_create();
    AUTOFREE struct coinpart *part = xcalloc(1, sizeof(*part));
    struct chunktable_row made;
    struct err err;

    if (coinpart_read(raw, row->raw_bytes, row->raw_offset, part, &err))
        return false;
    frame_seal(f, raw, part, frame, &made);
    return made.frame_bytes == row->frame_bytes && is_frame(row, frame);
}

void body_keep_restore(struct body_keep *k, const struct chunktable_row *row,
                       const uint8_t *raw)
{
    AUTOFREE uint8_t *frame = NULL;
    struct err err;
    ssize_t n;

    if (!k || atomic_load(&k->lost))
        return;
    frame = xcalloc(1, CHUNKTABLE_FRAME_MAX);
    n = pread(k->fd, frame, row->frame_bytes, (off_t)row->frame_offset);
    if (n == (ssize_t)row->frame_bytes && is_frame(row, frame))
        return;
    if (pack_again(row, raw, frame)) {
        body_keep_put(k, row, frame);
        return;
    }
    (void)err_set(&err, ERR_INVALID, "a frame was made by another zstd");
    give_up(k, &err);
}

static enum errc put_documents(const struct body_keep *k, const char *table,
                               const struct manifest *m, struct err *err)
{
    AUTOFREE char *rows = xasprintf("%s/" SNAPDIR_TABLE, k->dir);
    AUTOFREE char *path = xasprintf("%s/" SNAPDIR_MANIFEST, k->dir);
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);
    const atomic_bool go_on = false;

    manifest_write(m, &text);
    if (intake_copy(table, rows, chunktable_bytes(m->chunk_count), &go_on, err))
        return err->code;
    return durable_replace(path, text.data, text.len, err);
}

void body_keep_finish(struct body_keep *k, const char *table, const struct manifest *m)
{
    struct err err;

    if (!k || atomic_load(&k->lost))
        return;
    if (put_documents(k, table, m, &err) || durable_sync(k->fd, k->frames, &err))
        give_up(k, &err);
    else
        k->finished = true;
}

void body_keep_commit(struct body_keep *k)
{
    struct err err;

    if (!k)
        return;
    if (!k->finished || atomic_load(&k->lost)) {
        body_keep_drop(k);
        return;
    }
    if (durable_rename(k->dir, k->whole, &err)) {
        give_up(k, &err);
        body_keep_drop(k);
        return;
    }
    log_info("the snapshot is kept for others", KV_S("at", k->whole));
}
