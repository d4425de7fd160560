#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/chunks.h"
#include "sync/intake.h"

/* A URL's whole body into payload.part, resumed where it stopped, then payload.json. */
enum {
    CONNECT_TIMEOUT_MS = 10000,
    REDIRECTS_MAX = 5,
    SPEED_WINDOW_S = 10,
    TRIES_MAX = 4,
    RETRY_MS = 1000, /* times the number of tries */
    RETRY_AFTER_MAX_S = 60,
};

/* NULL: there is none, so what is there of the body cannot be gone on with. */
static char *read_etag(const char *path)
{
    char text[256] = "";
    FILE *f = fopen(path, "re");

    if (!f)
        return NULL;
    if (!fgets(text, sizeof(text), f))
        text[0] = '\0';
    (void)fclose(f);
    return text[0] != '\0' ? xstrdup(text) : NULL;
}

static void start_download(struct engine *e);

/* Longer each time, and not before the source wants to be asked again. */
static int64_t retry_wait_ms(const struct job *j, const struct transfer_request *r)
{
    int64_t wait = (int64_t)j->tries * RETRY_MS;
    int64_t asked =
        (int64_t)(r->retry_after_s < RETRY_AFTER_MAX_S ? r->retry_after_s
                                                       : RETRY_AFTER_MAX_S) *
        1000;

    return asked > wait ? asked : wait;
}

static void on_body(struct engine *e, const struct fetch *f, struct transfer_request *r)
{
    struct job *j = &e->job;
    struct err err = r->err;
    char part[PATH_TEXT];

    (void)f;
    j->download = NULL;
    j->bytes_fetched += atomic_load(&r->received);
    intake_sibling(e, "payload.part", part);
    if (!err.code && r->status == 416 && r->offset > 0) {
        /* nothing past what we have: not the same body any more */
        (void)err_fail(&err, REASON_SOURCE_CHANGED, "the body is shorter than before");
    } else if (!err.code && r->status != 200 && r->status != 206) {
        (void)err_fail(&err, REASON_SOURCE_UNREACHABLE, "HTTP %ld", r->status);
    }
    if (!err.code && durable_rename(part, j->payload_path, &err) == ERR_OK) {
        j->body_here = true;
        j->body_next(e);
        return;
    }
    if (err.reason == REASON_SOURCE_CHANGED)
        (void)unlink(part); /* of another body than what comes next */
    if (err.code == ERR_NET && ++j->tries < TRIES_MAX &&
        (r->err.code || r->status == 416 || r->status >= 429)) {
        log_info("source failed, trying again", KV_S("detail", err.msg));
        j->retry_at_mono_ms = clock_mono_ms() + retry_wait_ms(j, r);
        return;
    }
    bootstrap_source_failed(e, &err);
}

static void start_download(struct engine *e)
{
    struct job *j = &e->job;
    struct transfer_request *r = transfer_request_new(j->source);
    char part[PATH_TEXT], tag[PATH_TEXT];
    struct stat st;

    j->retry_at_mono_ms = 0;
    intake_sibling(e, "payload.part", part);
    intake_sibling(e, "payload.etag", tag);
    r->path = xstrdup(part);
    r->etag_path = xstrdup(tag);
    r->etag = read_etag(tag);
    /* One byte less than is there: also of a whole body something is left to ask for,
       and the answer says whether it still is the same. */
    if (r->etag && stat(part, &st) == 0 && st.st_size > 1)
        r->offset = (uint64_t)st.st_size - 1;
    r->max_bytes = e->cfg->transfer_max_bytes;
    r->min_speed = e->cfg->transfer_min_speed;
    r->min_speed_seconds = SPEED_WINDOW_S;
    r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    r->max_redirects = REDIRECTS_MAX;
    r->hostile = j->hostile;
    j->download = r;
    if (!engine_fetch(e, r,
                      &(struct fetch){.serial = (uint64_t)j->id, .done = on_body})) {
        j->download = NULL;
        j->retry_at_mono_ms = clock_mono_ms() + RETRY_MS;
    }
}

void intake_pump(struct engine *e)
{
    struct job *j = &e->job;

    if (j->chunks)
        chunks_pump(e);
    if (j->download)
        engine_progress(e, "bytes",
                        j->download->offset + atomic_load(&j->download->received),
                        j->body_total);
    if (j->retry_at_mono_ms != 0 && clock_mono_ms() >= j->retry_at_mono_ms)
        start_download(e);
}

void intake_download(struct engine *e, void (*next)(struct engine *e))
{
    e->job.body_next = next;
    e->job.tries = 0;
    start_download(e);
}
