#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/chunks.h"
#include "sync/intake.h"

/*
 * payload.part, where a chunk lies at its number times the size of one, and
 * payload.chunks, which says what is there: 32 bytes that tell which snapshot, then for
 * each chunk written its number (4 bytes) and checksum (32).  Neither is synced on the
 * way: whoever resumes hashes what is there.
 */
enum { NOTE = 36, NOTES_HEAD = 32 };

static void notes_head(const struct chunked_meta *m, uint8_t out[NOTES_HEAD])
{
    char text[256];
    int n = snprintf(text, sizeof(text), "%s %s %s %u %llu", m->id, m->block_hash,
                     m->state_hash, m->chunk_size, (unsigned long long)m->total_size);

    hash_sha256(text, (size_t)n, out);
}

struct disk_task {
    struct job_task base;
    struct chunked_meta meta;
    char *part, *notes, *whole;
    /* a chunk */
    uint32_t i;
    size_t source;
    char *bytes;
    struct chunked_chunk chunk;
    /* resuming: which chunks are here */
    uint8_t *state;
    void (*done)(struct engine *e);
    struct err err;
};

static void free_task(struct job_task *base)
{
    struct disk_task *t = (void *)base;

    free(t->part);
    free(t->notes);
    free(t->whole);
    free(t->bytes);
    free(t->state);
    free(t);
}

static struct disk_task *task_new(struct engine *e, void (*run)(struct task *t),
                                  void (*done)(struct engine *e, struct job_task *t))
{
    struct disk_task *t = xcalloc(1, sizeof(*t));
    char part[PATH_TEXT], notes[PATH_TEXT];

    intake_sibling(e, "payload.part", part);
    intake_sibling(e, "payload.chunks", notes);
    t->base.task.run = run;
    t->base.done = done;
    t->base.free = free_task;
    t->meta = e->job.chunks->meta;
    t->part = xstrdup(part);
    t->notes = xstrdup(notes);
    t->whole = xstrdup(e->job.payload_path);
    return t;
}

/* --- a chunk --- */

static enum errc write_at(const char *path, int flags, const void *bytes, size_t len,
                          off_t at, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    enum errc rc = ERR_OK;

    if (fd < 0)
        return err_errno(err, "%.150s", path);
    if (lseek(fd, at, SEEK_SET) < 0)
        rc = err_errno(err, "%.150s", path);
    if (!rc)
        rc = durable_write(fd, bytes, len, path, err);
    (void)close(fd);
    return rc;
}

static void run_write(struct task *task)
{
    struct disk_task *t = (void *)task;
    CLEANUP_BUF struct buf raw = BUF(CHUNKED_CHUNK_MAX);
    uint8_t note[NOTE];

    if (chunked_open(&t->meta, t->i, &t->chunk, &raw, &t->err) ||
        write_at(t->part, 0, raw.data, raw.len, (off_t)t->i * t->meta.chunk_size,
                 &t->err))
        return;
    memcpy(note, &t->i, 4); /* read by the same machine */
    memcpy(note + 4, t->chunk.checksum, 32);
    (void)write_at(t->notes, O_APPEND, note, sizeof(note), 0, &t->err);
}

static void written(struct engine *e, struct job_task *base)
{
    struct disk_task *t = (void *)base;

    chunks_written(e, t->i, t->source, &t->err);
}

void chunks_write(struct engine *e, uint32_t i, size_t source,
                  struct transfer_request *r)
{
    struct disk_task *t = task_new(e, run_write, written);
    struct err err;

    t->i = i;
    t->source = source;
    t->bytes = TAKE(r->body);
    t->chunk.bytes = t->bytes;
    t->chunk.len = r->body_len;
    if (!t->bytes || !hex_hash(r->checksum, t->chunk.checksum)) {
        (void)err_fail(&err, REASON_PEER_BAD_ANSWER, "chunk %u came without a checksum",
                       i);
        chunks_written(e, i, source, &err);
        free_task(&t->base);
        return;
    }
    engine_run(e, &t->base);
}

/* --- resuming --- */

static bool chunk_is_there(struct disk_task *t, int part, const uint8_t note[NOTE],
                           char *room)
{
    uint32_t i;
    uint8_t hash[32];
    size_t size;

    memcpy(&i, note, 4);
    if (i >= t->meta.chunks || t->state[i] == CHUNK_HERE)
        return false;
    size = chunked_size(&t->meta, i);
    if (pread(part, room, size, (off_t)i * t->meta.chunk_size) != (ssize_t)size)
        return false;
    hash_sha256(room, size, hash);
    if (memcmp(hash, note + 4, 32) != 0)
        return false;
    t->state[i] = CHUNK_HERE;
    return true;
}

static void read_notes(struct disk_task *t, FILE *notes, int part)
{
    AUTOFREE char *room = xcalloc(t->meta.chunk_size, 1);
    uint8_t note[NOTE];

    while (!atomic_load(&t->base.task.cancel) &&
           fread(note, 1, sizeof(note), notes) == sizeof(note))
        (void)chunk_is_there(t, part, note, room);
}

static bool notes_are_of(const struct disk_task *t, FILE *notes)
{
    uint8_t want[NOTES_HEAD], have[NOTES_HEAD];

    notes_head(&t->meta, want);
    return fread(have, 1, sizeof(have), notes) == sizeof(have) &&
           memcmp(have, want, sizeof(want)) == 0;
}

static void run_resume(struct task *task)
{
    struct disk_task *t = (void *)task;
    FILE *notes = fopen(t->notes, "re");
    int part = open(t->part, O_RDONLY | O_CLOEXEC);
    uint8_t head[NOTES_HEAD];
    bool same = notes && part >= 0 && notes_are_of(t, notes);

    if (same)
        read_notes(t, notes, part);
    if (notes)
        (void)fclose(notes);
    if (part >= 0)
        (void)close(part);
    if (same)
        return;
    notes_head(&t->meta, head);
    if (write_at(t->part, O_TRUNC, "", 0, 0, &t->err) == ERR_OK)
        (void)write_at(t->notes, O_TRUNC, head, sizeof(head), 0, &t->err);
}

static void resumed(struct engine *e, struct job_task *base)
{
    struct disk_task *t = (void *)base;
    struct chunks *c = e->job.chunks;

    if (t->err.code) {
        jobs_fail(e, &t->err);
        return;
    }
    free(c->state);
    c->state = TAKE(t->state);
    for (uint32_t i = 0; i < c->meta.chunks; i++) {
        c->have += c->state[i] == CHUNK_HERE;
        c->bytes += c->state[i] == CHUNK_HERE ? chunked_size(&c->meta, i) : 0;
    }
    t->done(e);
}

void chunks_resume(struct engine *e, void (*done)(struct engine *e))
{
    struct disk_task *t = task_new(e, run_resume, resumed);

    t->state = xcalloc(t->meta.chunks, 1);
    t->done = done;
    engine_run(e, &t->base);
}

/* --- the end --- */

static void run_finish(struct task *task)
{
    struct disk_task *t = (void *)task;
    int fd = open(t->part, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        (void)err_errno(&t->err, "%.150s", t->part);
        return;
    }
    if (ftruncate(fd, (off_t)t->meta.total_size) != 0)
        (void)err_errno(&t->err, "%.150s", t->part);
    else
        (void)durable_sync(fd, t->part, &t->err);
    (void)close(fd);
    if (!t->err.code)
        (void)durable_rename(t->part, t->whole, &t->err);
}

static void ended(struct engine *e, struct job_task *base)
{
    struct disk_task *t = (void *)base;

    if (t->err.code)
        jobs_fail(e, &t->err);
    else
        t->done(e);
}

void chunks_finish(struct engine *e, void (*done)(struct engine *e))
{
    struct disk_task *t = task_new(e, run_finish, ended);

    t->done = done;
    engine_run(e, &t->base);
}

/* --- what is at its ends --- */

enum errc chunks_read(struct engine *e, uint32_t from, uint32_t to, char **text,
                      size_t *len, struct err *err)
{
    enum { LOOK_MAX = 16 << 10 };
    const struct chunked_meta *m = &e->job.chunks->meta;
    uint64_t at = (uint64_t)from * m->chunk_size;
    uint64_t end = to == m->chunks ? m->total_size : (uint64_t)to * m->chunk_size;
    char part[PATH_TEXT];
    ssize_t n;
    int fd;

    if (end - at > LOOK_MAX && from == 0)
        end = at + LOOK_MAX;
    else if (end - at > LOOK_MAX)
        at = end - LOOK_MAX;
    intake_sibling(e, "payload.part", part);
    fd = open(part, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%.150s", part);
    free(*text);
    *len = (size_t)(end - at);
    *text = xcalloc(*len + 1, 1);
    n = pread(fd, *text, *len, (off_t)at);
    (void)close(fd);
    return n == (ssize_t)*len ? ERR_OK : err_errno(err, "%.150s", part);
}
