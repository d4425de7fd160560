#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/chunks.h"
#include "sync/intake.h"

enum {
    TIMEOUT_MS = 15000,
    CONNECT_TIMEOUT_MS = 10000,
    REDIRECTS_MAX = 5,
    ENDS = 2, /* chunks at the end, with the signature, if any is short */
};

static const char snapshot_path[] = "/sync/snapshot/";

bool chunks_is_url(const char *url)
{
    const char *at = strstr(url, snapshot_path);
    const char *id = at ? at + sizeof(snapshot_path) - 1 : "";

    return id[0] != '\0' && strlen(id) < CHUNKED_ID && !strpbrk(id, "/?#");
}

void chunks_free(struct chunks *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->source_count; i++)
        if (c->sources[i].peer)
            atomic_fetch_sub(&c->sources[i].peer->held, 1);
    free(c->state);
    free(c);
}

/* --- whose the whole was --- */

void chunks_blame(struct engine *e, enum reason why, char detail[TRUST_TEXT])
{
    struct chunks *c = e->job.chunks;
    size_t gave = 0;

    if (!c)
        return;
    for (size_t i = 0; i < c->source_count; i++)
        gave += c->sources[i].given > 0;
    for (size_t i = 0; i < c->source_count; i++)
        if (c->sources[i].given > 0 && c->sources[i].peer)
            peer_blame(c->sources[i].peer,
                       gave == 1 ? PEER_FAULT_LIE : PEER_FAULT_ERROR, why, 0,
                       "chunks of a snapshot that is not what it says", clock_mono_ms(),
                       clock_now_ms());
    if (gave > 1) {
        AUTOFREE char *text = xstrdup(detail);

        (void)snprintf(detail, TRUST_TEXT,
                       "a chunk of one of %zu sources is wrong, and nothing says "
                       "whose: %.90s",
                       gave, text);
    }
}

/* --- the metadata in its ends --- */

static void whole_then_metadata(struct engine *e)
{
    e->job.body_here = true;
    intake_read_metadata(e);
}

static void all_of_it(struct engine *e)
{
    e->job.chunks->ends = false;
    e->job.body_next = whole_then_metadata;
}

/* The first and the last chunks are here. */
static void look_at_ends(struct engine *e)
{
    struct job *j = &e->job;
    struct chunks *c = j->chunks;
    uint32_t n = c->meta.chunks, from = n > ENDS ? n - ENDS : 0;
    struct err err;

    if (c->have == n || chunks_read(e, 0, 1, &j->head, &j->head_len, &err) ||
        chunks_read(e, from, n, &j->tail, &j->tail_len, &err) ||
        !payload_meta_peek(j->head, j->head_len, j->tail, j->tail_len, &j->meta)) {
        all_of_it(e);
        return;
    }
    c->ends = false;
    j->body_next = NULL; /* not before the rules have been asked */
    bootstrap_metadata_known(e);
}

bool chunks_wants(const struct chunks *c, uint32_t i)
{
    return !c->ends || i == 0 || i + ENDS >= c->meta.chunks;
}

static bool stage_is_whole(const struct chunks *c)
{
    if (!c->ends)
        return c->have == c->meta.chunks;
    for (uint32_t i = 0; i < c->meta.chunks; i++)
        if (chunks_wants(c, i) && c->state[i] != CHUNK_HERE)
            return false;
    return true;
}

static void finished(struct engine *e)
{
    e->job.body_here = true;
    e->job.body_next(e);
}

/* --- opening --- */

static void on_peer(struct engine *e, const struct fetch *f, struct transfer_request *r)
{
    struct chunks *c = e->job.chunks;
    struct chunked_meta other;
    struct err err;

    if (!c || r->err.code || r->status != 200 || !r->body ||
        chunked_meta_parse(r->body, r->body_len, &other, &err) ||
        !chunked_meta_same(&c->meta, &other))
        return;
    chunks_add_source(e, r->url, f->peer);
}

static struct transfer_request *ask_for(const struct engine *e, const char *url)
{
    struct transfer_request *r = transfer_request_new(url);

    r->max_bytes = CHUNKED_META_MAX;
    r->timeout_ms = TIMEOUT_MS;
    r->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    r->max_redirects = REDIRECTS_MAX;
    r->hostile = e->job.hostile;
    return r;
}

/* Whoever describes the same chunks. */
static void ask_peers(struct engine *e)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    size_t asked = 1;

    for (size_t i = 0; i < peers_count(e->peers) && asked < CHUNKS_SOURCES_MAX; i++) {
        struct peer *p = peers_at(e->peers, i);
        AUTOFREE char *url =
            xasprintf("%s%s%s", p->url, snapshot_path, e->job.chunks->meta.id);
        struct transfer_request *r;

        if (p->kind != PEER_HTTP || !peer_usable(p, mono, now) ||
            strlen(url) >= URL_MAX || strcmp(url, e->job.chunks->sources[0].base) == 0)
            continue;
        r = ask_for(e, url);
        r->hostile = p->hostile;
        if (!engine_fetch(e, r, &(struct fetch){.peer = p, .done = on_peer}))
            return;
        asked++;
    }
}

static void resumed(struct engine *e)
{
    e->job.chunks->ready = true;
}

/* As many bytes as are said to come must be allowed, and each chunk's place known. */
static enum errc take_meta(struct engine *e, const struct transfer_request *r,
                           struct chunked_meta *out, struct err *err)
{
    if (r->err.code) {
        *err = r->err;
        return err->code;
    }
    if (r->status != 200 || !r->body)
        return err_fail(err, REASON_SOURCE_UNREACHABLE, "HTTP %ld", r->status);
    if (chunked_meta_parse(r->body, r->body_len, out, err))
        return err->code;
    if (out->total_size > e->cfg->transfer_max_bytes)
        return err_fail(err, REASON_PAYLOAD_TOO_LARGE,
                        "the body has %llu bytes, at most %llu are allowed",
                        (unsigned long long)out->total_size,
                        (unsigned long long)e->cfg->transfer_max_bytes);
    return ERR_OK;
}

static void on_meta(struct engine *e, const struct fetch *f, struct transfer_request *r)
{
    struct job *j = &e->job;
    struct chunks *c = xcalloc(1, sizeof(*c));
    const char *at = strstr(j->source, snapshot_path);
    AUTOFREE char *base = NULL;
    struct err err;

    (void)f;
    if (take_meta(e, r, &c->meta, &err)) {
        chunks_free(c);
        bootstrap_source_failed(e, &err);
        return;
    }
    c->state = xcalloc(c->meta.chunks, 1);
    c->ends = true;
    chunks_free(j->chunks);
    j->chunks = c;
    j->body_total = c->meta.total_size;
    base = xasprintf("%.*s%s%s", (int)(at - j->source), j->source, snapshot_path,
                     c->meta.id);
    chunks_add_source(e, base, NULL);
    ask_peers(e);
    chunks_resume(e, resumed);
}

void chunks_open(struct engine *e)
{
    if (!engine_fetch(e, ask_for(e, e->job.source), &(struct fetch){.done = on_meta}))
        abort(); /* a new epoch has just begun: there is room */
}

/* --- the rest --- */

void chunks_fetch(struct engine *e)
{
    e->job.body_next = bootstrap_body_here;
}

void chunks_pump(struct engine *e)
{
    struct job *j = &e->job;
    struct chunks *c = j->chunks;

    if (!c->ready || c->ending || j->body_here || (!c->ends && !j->body_next))
        return;
    if (!c->ends)
        engine_progress(e, "bytes", c->bytes, c->meta.total_size);
    if (!stage_is_whole(c)) {
        chunks_ask(e);
    } else if (c->ends) {
        look_at_ends(e);
    } else {
        c->ending = true;
        chunks_finish(e, finished);
    }
}
