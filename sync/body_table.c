#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/body_impl.h"
#include "sync/intake.h"

/* The chunk table, whole, from one source after another until one has it.  Its hash is
   in the manifest. */
enum { ROUNDS = 3, ROUND_MS = 1000 };

static void give_up(struct engine *e)
{
    struct body *b = e->job.body;
    const struct plan_source *last = &b->plan->sources[0]; /* the manifest's */
    struct err err;

    (void)err_fail(&err, last->reason, "no source has the chunk table: %.100s",
                   last->why);
    body_publish(e, true);
    bootstrap_source_failed(e, &err);
}

/* Every one in turn, in rounds with a pause between them. */
static bool next_source(struct body *b, size_t *out)
{
    for (size_t n = 0; n < b->plan->source_count; n++) {
        size_t i = b->table_turn++ % b->plan->source_count;

        if (!b->plan->sources[i].dropped) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void failed(struct engine *e, size_t source, const struct plan_failure *f)
{
    struct body *b = e->job.body;
    struct plan_source *s = &b->plan->sources[source];
    int64_t wait = 0;

    log_info("a source has no chunk table for us",
             KV_S("source", b->sources[source].at),
             KV_S("reason", reason_code(f->reason)), KV_S("detail", f->why));
    s->errors++;
    s->reason = f->reason;
    (void)snprintf(s->why, sizeof(s->why), "%s", f->why);
    if (f->fault == PLAN_USELESS)
        plan_drop(b->plan, source, f->reason, f->why);
    b->table_tries++;
    if (b->table_turn % b->plan->source_count == 0)
        wait = ROUND_MS * (int64_t)(b->table_tries / b->plan->source_count + 1);
    if (f->fault == PLAN_LATER && (int64_t)f->wait_ms > wait)
        wait = f->wait_ms;
    b->table_at_mono_ms = clock_mono_ms() + wait;
}

void body_table_failed(struct engine *e, const struct err *why)
{
    struct body *b = e->job.body;
    struct plan_failure f = {.fault = PLAN_USELESS, .reason = why->reason};

    b->phase = BODY_TABLE;
    if (b->table_from == PLAN_SOURCES_MAX)
        return; /* what an earlier run left lost its hash: fetched anew */
    if (why->reason == REASON_PAYLOAD_HASH_MISMATCH)
        body_sources_blame(e, b->table_from, why);
    (void)snprintf(f.why, sizeof(f.why), "%.119s", why->msg);
    failed(e, b->table_from, &f);
}

static void arrived(struct engine *e)
{
    char part[PATH_TEXT], whole[PATH_TEXT];
    struct err err;

    intake_sibling(e, "chunks.part", part);
    intake_sibling(e, "chunks.bin", whole);
    if (durable_rename(part, whole, &err))
        jobs_fail(e, &err);
    else
        body_check_open(e, NULL);
}

static void on_table(struct engine *e, const struct fetch *f,
                     struct transfer_request *r)
{
    struct body *b = e->job.body;
    struct plan_failure fault;

    b->table_busy = false;
    b->sources[f->slot].bytes += atomic_load(&r->received);
    b->fetched_bytes += atomic_load(&r->received);
    if (r->err.code == ERR_IO)
        jobs_fail(e, &r->err);
    else if (body_sources_fault(r, chunktable_bytes(b->manifest->chunk_count), &fault))
        failed(e, f->slot, &fault);
    else
        arrived(e);
}

static void fetch(struct engine *e, size_t source)
{
    struct body *b = e->job.body;
    AUTOFREE char *url = body_sources_url(&b->sources[source], "chunks.bin");
    struct transfer_request *r = transfer_request_new(url);
    char path[PATH_TEXT];

    intake_sibling(e, "chunks.part", path);
    r->path = xstrdup(path);
    r->max_bytes = chunktable_bytes(b->manifest->chunk_count);
    r->min_speed = BODY_LEAST_SPEED;
    r->min_speed_seconds = BODY_SPEED_WINDOW_S;
    r->connect_timeout_ms = BODY_CONNECT_MS;
    r->max_redirects = BODY_REDIRECTS;
    r->hostile = b->sources[source].hostile;
    b->table_busy = engine_fetch(e, r,
                                 &(struct fetch){.slot = source,
                                                 .serial = (uint64_t)e->job.id,
                                                 .peer = b->sources[source].peer,
                                                 .done = on_table});
    if (!b->table_busy)
        b->table_at_mono_ms = clock_mono_ms() + ROUND_MS;
}

/* A directory's is copied, as whoever owns it may change it. */
static void copy(struct engine *e, size_t source)
{
    struct body *b = e->job.body;
    AUTOFREE char *from = body_sources_url(&b->sources[source], "chunks.bin");
    AUTOFREE char *frames = body_sources_url(&b->sources[source], "base.coins.zst");
    struct err err;

    if (intake_check_path(e, from, &err) || intake_check_path(e, frames, &err))
        body_table_failed(e, &err);
    else
        body_check_open(e, from);
}

void body_table_pump(struct engine *e)
{
    struct body *b = e->job.body;
    size_t source;

    if (b->table_busy || clock_mono_ms() < b->table_at_mono_ms)
        return;
    if (b->table_tries >= ROUNDS * b->plan->source_count || !next_source(b, &source)) {
        give_up(e);
        return;
    }
    b->table_at_mono_ms = 0;
    b->table_from = source;
    if (b->sources[source].is_dir)
        copy(e, source);
    else
        fetch(e, source);
}

void body_table_begin(struct engine *e)
{
    char path[PATH_TEXT];

    e->job.body->phase = BODY_TABLE;
    e->job.body->table_from = PLAN_SOURCES_MAX;
    intake_sibling(e, "chunks.bin", path);
    if (access(path, R_OK) == 0)
        body_check_open(e, NULL);
    else
        body_table_pump(e);
}
