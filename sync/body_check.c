#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "sync/body_impl.h"
#include "sync/intake.h"

/* What the workers do for a body.  A task holds the files it works on; its result is
   dropped when the job has ended meanwhile. */

struct check_task {
    struct job_task base;
    struct body_files *files;
    size_t ask; /* of a piece */
    uint32_t first, count;
    char *bytes; /* of a piece: its frames; NULL: read from file, at */
    char *file;
    uint64_t at, len;
    uint32_t good;  /* of a piece: frames that held */
    uint8_t *found; /* of a scan: for each of count chunks, whether it is there */
    struct err err;
};

static void free_check(struct job_task *base)
{
    struct check_task *t = (void *)base;

    body_files_unref(t->files);
    free(t->bytes);
    free(t->file);
    free(t->found);
    free(t);
}

static struct check_task *create(struct engine *e, void (*run)(struct task *task),
                                 void (*done)(struct engine *e, struct job_task *t))
{
    struct check_task *t = xcalloc(1, sizeof(*t));

    t->base.task.run = run;
    t->base.done = done;
    t->base.free = free_check;
    if (e->job.body->files)
        t->files = body_files_ref(e->job.body->files);
    return t;
}

/* --- opening: the table is checked --- */

struct open_task {
    struct job_task base;
    char *from; /* NULL: the table is there */
    char *part, *table, *parts, *coins, *idx, *shelf;
    struct manifest *manifest; /* a copy */
    struct body_files *files;
    struct err err;
};

static void run_open(struct task *task)
{
    struct open_task *t = (void *)task;
    const struct body_paths paths = {.table = t->table,
                                     .parts = t->parts,
                                     .coins = t->coins,
                                     .idx = t->idx,
                                     .shelf = t->shelf};

    if (t->from &&
        (intake_copy(t->from, t->part, chunktable_bytes(t->manifest->chunk_count),
                     &t->base.task.cancel, &t->err) ||
         durable_rename(t->part, t->table, &t->err)))
        return;
    (void)body_files_open(&paths, t->manifest, &t->files, &t->err);
    if (t->err.reason == REASON_PAYLOAD_HASH_MISMATCH)
        (void)unlink(t->table);
}

static void free_open(struct job_task *base)
{
    struct open_task *t = (void *)base;

    body_files_unref(t->files);
    manifest_free(t->manifest);
    free(t->from);
    free(t->part);
    free(t->table);
    free(t->parts);
    free(t->coins);
    free(t->idx);
    free(t->shelf);
    free(t);
}

static void opened(struct engine *e, struct job_task *base)
{
    struct open_task *t = (void *)base;
    struct body *b = e->job.body;

    b->files = TAKE(t->files);
    body_opened(e, &t->err);
}

void body_check_open(struct engine *e, const char *from)
{
    struct open_task *t = xcalloc(1, sizeof(*t));
    char path[PATH_TEXT];

    e->job.body->phase = BODY_OPEN;
    t->base.task.run = run_open;
    t->base.done = opened;
    t->base.free = free_open;
    t->manifest = manifest_copy(e->job.body->manifest);
    t->from = from ? xstrdup(from) : NULL;
    intake_sibling(e, "chunks.part", path);
    t->part = xstrdup(path);
    intake_sibling(e, "chunks.bin", path);
    t->table = xstrdup(path);
    intake_sibling(e, "index.parts", path);
    t->parts = xstrdup(path);
    gen_path(&e->building, "base.coins", path);
    t->coins = xstrdup(path);
    gen_path(&e->building, "base.idx", path);
    t->idx = xstrdup(path);
    if (e->cfg->keep_snapshots)
        t->shelf = xasprintf("%s/snapshots", e->cfg->data_dir);
    engine_run(e, &t->base);
}

/* --- what an earlier run left --- */

static void run_scan(struct task *task)
{
    struct check_task *t = (void *)task;
    AUTOFREE uint8_t *raw = xrealloc(NULL, COINFILE_CHUNK_MAX);

    for (uint32_t i = 0; i < t->count && !atomic_load(&t->files->stop); i++)
        t->found[i] = body_files_have(t->files, t->first + i, raw);
}

static void scanned(struct engine *e, struct job_task *base)
{
    struct check_task *t = (void *)base;
    struct body *b = e->job.body;

    for (uint32_t i = 0; i < t->count; i++)
        if (t->found[i])
            plan_verified(b->plan, t->first + i);
    if (--b->scans_out == 0)
        body_scanned(e);
}

static uint32_t frame_bytes(const void *table, uint32_t i)
{
    struct chunktable_row row;

    chunktable_row(table, i, &row);
    return row.frame_bytes;
}

void body_check_scan(struct engine *e)
{
    struct body *b = e->job.body;
    uint32_t n = chunktable_count(b->files->table), from = 0;

    b->phase = BODY_SCAN;
    plan_set_frames(b->plan, n, frame_bytes, b->files->table);
    b->scans_out = BODY_SCANS;
    for (uint32_t i = 0; i < BODY_SCANS; i++) {
        struct check_task *t = create(e, run_scan, scanned);
        uint32_t end = (uint32_t)((uint64_t)n * (i + 1) / BODY_SCANS);

        t->first = from;
        t->count = end - from;
        t->found = xcalloc((size_t)t->count + 1, 1);
        from = end;
        engine_run(e, &t->base);
    }
}

/* --- a piece --- */

static enum errc read_frames(struct check_task *t)
{
    int fd = open(t->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    size_t done = 0;

    if (fd < 0)
        return err_fail(&t->err, REASON_SOURCE_UNREACHABLE, "%.150s cannot be opened",
                        t->file);
    t->bytes = xrealloc(NULL, (size_t)t->len);
    while (done < t->len) {
        ssize_t n =
            pread(fd, t->bytes + done, (size_t)t->len - done, (off_t)(t->at + done));

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    (void)close(fd);
    return done == t->len ? ERR_OK
                          : err_fail(&t->err, REASON_SOURCE_CHANGED,
                                     "%.150s is shorter than its snapshot", t->file);
}

static void run_piece(struct task *task)
{
    struct check_task *t = (void *)task;
    CLEANUP(frame_free) struct frame *frame = frame_create();
    AUTOFREE uint8_t *raw = xrealloc(NULL, COINFILE_CHUNK_MAX);
    uint64_t at = 0;

    if (!t->bytes && read_frames(t))
        return;
    for (uint32_t i = 0; i < t->count && !atomic_load(&t->files->stop); i++) {
        struct chunktable_row row;

        chunktable_row(t->files->table, t->first + i, &row);
        if (body_files_take(t->files, frame, t->first + i,
                            (const uint8_t *)t->bytes + at, raw, &t->err))
            return;
        at += row.frame_bytes;
        t->good++;
    }
}

static void checked(struct engine *e, struct job_task *base)
{
    struct check_task *t = (void *)base;

    e->job.body->checks_out--;
    body_checked(e, t->ask, t->good, &t->err);
}

void body_check_piece(struct engine *e, size_t ask, char *bytes)
{
    struct body *b = e->job.body;
    const struct plan_ask *a = &b->plan->asks[ask];
    struct check_task *t = create(e, run_piece, checked);

    t->ask = ask;
    t->first = a->first;
    t->count = a->count;
    t->bytes = bytes;
    t->at = a->from;
    t->len = a->len;
    if (b->sources[a->source].is_dir)
        t->file = body_sources_url(&b->sources[a->source], "base.coins.zst");
    b->checks_out++;
    engine_run(e, &t->base);
}

/* --- the end --- */

static void run_finish(struct task *task)
{
    struct open_task *t = (void *)task;

    (void)body_files_finish(t->files, t->table, t->manifest, &t->err);
}

static void finished(struct engine *e, struct job_task *base)
{
    body_finished(e, &((struct open_task *)(void *)base)->err);
}

void body_check_finish(struct engine *e)
{
    struct open_task *t = xcalloc(1, sizeof(*t));
    char path[PATH_TEXT];

    e->job.body->phase = BODY_FINISH;
    t->base.task.run = run_finish;
    t->base.done = finished;
    t->base.free = free_open;
    t->manifest = manifest_copy(e->job.body->manifest);
    t->files = body_files_ref(e->job.body->files);
    intake_sibling(e, "chunks.bin", path);
    t->table = xstrdup(path);
    engine_run(e, &t->base);
}
