#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/chunks.h"

/* Which chunk is asked of whom, and what an answer does to that. */
enum {
    OUT_EACH = 2,     /* chunks on their way from one source */
    OUT_MAX = 8,      /* from all: they are held in memory until they are written */
    FAILURES_MAX = 4, /* in a row */
    AGAIN_MS = 1000,  /* times the failures */
    RETRY_AFTER_MAX_S = 60,
    CONNECT_TIMEOUT_MS = 10000,
    SPEED_WINDOW_S = 10,
    MIN_SPEED = 1000, /* bytes a second: a source that stands still */
};

void chunks_add_source(struct engine *e, const char *base, struct peer *peer)
{
    struct chunks *c = e->job.chunks;
    struct chunks_source *s;

    for (size_t i = 0; i < c->source_count; i++)
        if (strcmp(c->sources[i].base, base) == 0)
            return;
    if (c->source_count == CHUNKS_SOURCES_MAX || strlen(base) >= URL_MAX)
        return;
    s = &c->sources[c->source_count++];
    (void)snprintf(s->base, sizeof(s->base), "%s", base);
    s->peer = peer;
    if (peer)
        atomic_fetch_add(&peer->held, 1);
}

static void give_up_if_all_are_off(struct engine *e)
{
    struct chunks *c = e->job.chunks;
    struct err err = c->last;

    for (size_t i = 0; i < c->source_count; i++)
        if (!c->sources[i].off || c->sources[i].out > 0)
            return;
    bootstrap_source_failed(e, &err);
}

/* The chunk is to be had again, elsewhere or later. */
static void failed(struct engine *e, uint32_t i, size_t source, const struct err *why,
                   uint32_t retry_after_s)
{
    struct chunks *c = e->job.chunks;
    struct chunks_source *s = &c->sources[source];
    int64_t wait = (int64_t)++s->failures * AGAIN_MS;
    int64_t asked = (int64_t)(retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s
                                                                : RETRY_AFTER_MAX_S) *
                    1000;

    c->state[i] = CHUNK_MISSING;
    c->lowest = i < c->lowest ? i : c->lowest;
    c->last = *why;
    s->off = s->failures >= FAILURES_MAX;
    s->again_mono_ms = clock_mono_ms() + (asked > wait ? asked : wait);
    log_info("a chunk did not come", KV_U("chunk", i), KV_S("source", s->base),
             KV_S("detail", why->msg));
    give_up_if_all_are_off(e);
}

static void on_chunk(struct engine *e, const struct fetch *f,
                     struct transfer_request *r)
{
    struct err err = r->err;
    uint32_t i = (uint32_t)f->height;

    if (!err.code && r->status != 200)
        (void)err_fail(&err, REASON_SOURCE_UNREACHABLE, "chunk %u: HTTP %ld", i,
                       r->status);
    if (err.code) {
        e->job.chunks->sources[f->slot].out--;
        failed(e, i, f->slot, &err, r->retry_after_s);
        return;
    }
    chunks_write(e, i, f->slot, r);
}

void chunks_written(struct engine *e, uint32_t i, size_t source, const struct err *err)
{
    struct chunks *c = e->job.chunks;
    struct chunks_source *s = &c->sources[source];

    s->out--;
    if (err->code == ERR_IO) {
        jobs_fail(e, err);
        return;
    }
    if (err->code) {
        if (s->peer && !c->ends) /* whoever backs off has no vote: not now */
            peer_blame(s->peer, PEER_FAULT_ERROR, err->reason, 0, err->msg,
                       clock_mono_ms(), clock_now_ms());
        failed(e, i, source, err, 0);
        return;
    }
    s->failures = 0;
    s->given++;
    c->state[i] = CHUNK_HERE;
    c->have++;
    c->bytes += chunked_size(&c->meta, i);
    e->job.bytes_fetched += chunked_size(&c->meta, i);
}

/* --- asking --- */

static bool next_chunk(struct chunks *c, uint32_t *out)
{
    while (c->lowest < c->meta.chunks && c->state[c->lowest] == CHUNK_HERE)
        c->lowest++;
    for (uint32_t i = c->lowest; i < c->meta.chunks; i++) {
        if (c->state[i] != CHUNK_MISSING || !chunks_wants(c, i))
            continue;
        *out = i;
        return true;
    }
    return false;
}

static bool ask_one(struct engine *e, size_t source, uint32_t i)
{
    struct chunks *c = e->job.chunks;
    struct chunks_source *s = &c->sources[source];
    AUTOFREE char *url = xasprintf("%s/chunk/%" PRIu32, s->base, i);
    struct transfer_request *r = transfer_request_new(url);

    r->max_bytes = (uint64_t)chunked_size(&c->meta, i) + (1U << 16); /* gzip's frame */
    r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    r->min_speed = MIN_SPEED;
    r->min_speed_seconds = SPEED_WINDOW_S;
    r->hostile = s->peer ? s->peer->hostile : e->job.hostile;
    if (!engine_fetch(
            e, r,
            &(struct fetch){
                .peer = s->peer, .height = i, .slot = source, .done = on_chunk}))
        return false;
    c->state[i] = CHUNK_ASKED;
    s->out++;
    return true;
}

static unsigned all_out(const struct chunks *c)
{
    unsigned n = 0;

    for (size_t i = 0; i < c->source_count; i++)
        n += c->sources[i].out;
    return n;
}

void chunks_ask(struct engine *e)
{
    struct chunks *c = e->job.chunks;
    int64_t mono = clock_mono_ms();
    uint32_t i;

    for (unsigned round = 0; round < OUT_EACH; round++)
        for (size_t k = 0; k < c->source_count; k++) {
            struct chunks_source *s = &c->sources[k];

            if (s->off || s->out > round || mono < s->again_mono_ms)
                continue;
            if (all_out(c) >= OUT_MAX || !next_chunk(c, &i) || !ask_one(e, k, i))
                return;
        }
}
