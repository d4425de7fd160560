#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/body.h"
#include "sync/chunks.h"
#include "sync/finds.h"
#include "sync/intake.h"
#include "sync/snapshot/chunked.h"

enum {
    PEEK_BYTES = 16 << 10,
    PEEK_TIMEOUT_MS = 15000,
    CONNECT_TIMEOUT_MS = 10000,
    REDIRECTS_MAX = 5,
};

enum intake_kind intake_kind(const char *name)
{
    if (name && strcmp(name, "inline") == 0)
        return INTAKE_INLINE;
    if (name && strcmp(name, "path") == 0)
        return INTAKE_PATH;
    if (name && strcmp(name, "genesis") == 0)
        return INTAKE_GENESIS;
    if (name && strcmp(name, "peers") == 0)
        return INTAKE_PEERS;
    return INTAKE_URL;
}

/* --- a file's copy and metadata, through a worker --- */

struct intake_task {
    struct job_task base;
    char *from; /* NULL: the payload is there already */
    char *part, *whole;
    uint64_t max_bytes;
    const struct engine_config *cfg;
    struct payload_meta meta;
    struct err err;
};

static enum errc get_source(const struct intake_task *t, struct err *err)
{
    const atomic_bool *cancel = &t->base.task.cancel;

    if (chunked_is_dir(t->from)
            ? chunked_join(t->from, t->part, t->max_bytes, cancel, err)
            : intake_copy(t->from, t->part, t->max_bytes, cancel, err))
        return err->code;
    return durable_rename(t->part, t->whole, err);
}

static void run_metadata(struct task *task)
{
    struct intake_task *t = (void *)task;

    if (t->from && get_source(t, &t->err))
        return;
    if (intake_reshape(t->whole, t->part, t->cfg, &t->base.task.cancel, &t->err))
        return;
    (void)payload_meta_read(t->whole, &t->meta, &t->err);
}

static void metadata_read(struct engine *e, struct job_task *base)
{
    struct intake_task *t = (void *)base;
    struct job *j = &e->job;

    if (t->err.code == ERR_VERIFY && t->err.reason != REASON_PAYLOAD_TOO_LARGE) {
        /* No metadata at all: a malformed candidate, to be judged as one. */
        (void)snprintf(j->meta.malformed, sizeof(j->meta.malformed), "%.150s",
                       t->err.msg);
    } else if (t->err.code) {
        bootstrap_source_failed(e, &t->err);
        return;
    } else {
        j->meta = t->meta;
    }
    j->body_here = true;
    bootstrap_metadata_known(e);
}

static void free_metadata(struct job_task *base)
{
    struct intake_task *t = (void *)base;

    free(t->from);
    free(t->part);
    free(t->whole);
    free(t);
}

static void read_metadata(struct engine *e, const char *copy_from)
{
    struct intake_task *t = xcalloc(1, sizeof(*t));
    char part[PATH_TEXT];

    intake_sibling(e, "payload.part", part);
    t->base.task.run = run_metadata;
    t->base.done = metadata_read;
    t->base.free = free_metadata;
    t->from = copy_from ? xstrdup(copy_from) : NULL;
    t->part = xstrdup(part);
    t->whole = xstrdup(e->job.payload_path);
    t->max_bytes = e->cfg->transfer_max_bytes;
    t->cfg = e->cfg;
    engine_run(e, &t->base);
}

void intake_read_metadata(struct engine *e)
{
    if (body_is_path(e->job.payload_path))
        body_open_url(e, e->job.payload_path);
    else
        read_metadata(e, NULL);
}

/* --- a URL's metadata from its first and last bytes --- */

static void on_peek(struct engine *e, const struct fetch *f, struct transfer_request *r)
{
    struct job *j = &e->job;
    bool ok = r->err.code == ERR_OK && r->status == 206;

    if (ok && r->total > 0)
        j->body_total = r->total;
    if (ok && f->slot == 0) {
        j->head = TAKE(r->body);
        j->head_len = r->body_len;
    } else if (ok) {
        j->tail = TAKE(r->body);
        j->tail_len = r->body_len;
    }
    if (--j->peeks_out > 0)
        return;
    if (j->head && body_is_document(j->head, j->head_len)) {
        body_open_url(e, NULL);
        return;
    }
    if (j->head && j->tail &&
        payload_meta_peek(j->head, j->head_len, j->tail, j->tail_len, &j->meta)) {
        bootstrap_metadata_known(e);
        return;
    }
    /* No ranges, or a text that hides its metadata: it must all be here first. */
    intake_download(e, intake_read_metadata);
}

static void peek(struct engine *e)
{
    e->job.peeks_out = 2;
    for (size_t i = 0; i < 2; i++) {
        struct transfer_request *r = transfer_request_new(e->job.source);

        r->has_range = true;
        r->range_from = i == 0 ? 0 : UINT64_MAX;
        r->range_to = i == 0 ? PEEK_BYTES - 1 : PEEK_BYTES;
        r->max_bytes = PEEK_BYTES;
        r->timeout_ms = PEEK_TIMEOUT_MS;
        r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
        r->max_redirects = REDIRECTS_MAX;
        r->hostile = e->job.hostile;
        if (!engine_fetch(e, r, &(struct fetch){.slot = i, .done = on_peek}))
            abort(); /* a new epoch has just begun: there is room */
    }
}

void intake_metadata(struct engine *e)
{
    struct job *j = &e->job;
    struct err err;

    if (j->kind == INTAKE_PEERS && !j->offered) {
        finds_for_job(e);
        return;
    }
    if (access(j->payload_path, R_OK) == 0) {
        read_metadata(e, NULL);
        return;
    }
    switch (j->kind) {
    case INTAKE_URL:
    case INTAKE_PEERS:
        if (body_was_begun(e))
            body_open_url(e, NULL);
        else if (chunks_is_url(j->source))
            chunks_open(e);
        else
            peek(e);
        break;
    case INTAKE_PATH:
        if (intake_check_path(e, j->source, &err))
            bootstrap_source_failed(e, &err);
        else if (body_is_path(j->source))
            body_open_path(e);
        else
            read_metadata(e, j->source);
        break;
    case INTAKE_INLINE:
        (void)err_fail(&err, REASON_SOURCE_UNREACHABLE,
                       "the payload of the call was lost before it was stored");
        bootstrap_source_failed(e, &err);
        break;
    case INTAKE_GENESIS:
        j->meta.has_height = j->meta.has_block_hash = true;
        hex_encode(e->cfg->params->genesis_hash, 32, j->meta.block_hash);
        bootstrap_metadata_known(e);
        break;
    }
}

void intake_body(struct engine *e)
{
    if (e->job.body)
        body_fetch(e);
    else if (e->job.body_here || e->job.kind == INTAKE_GENESIS)
        bootstrap_body_here(e);
    else if (e->job.chunks)
        chunks_fetch(e);
    else
        intake_download(e, bootstrap_body_here);
}
