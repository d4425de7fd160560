#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/body_impl.h"

/* Who may have the body: where the manifest came from, the mirrors that were named, and
   peers that are Cairns.  Anybody may lie; each frame is proven. */
enum { PEERS_EVERY_MS = 10000 };

static struct body_source *add(struct body *b, const char *at, int len)
{
    struct body_source *s;

    for (size_t i = 0; i < b->plan->source_count; i++)
        if (strlen(b->sources[i].at) == (size_t)len &&
            strncmp(b->sources[i].at, at, (size_t)len) == 0)
            return NULL;
    if (!plan_add_source(b->plan))
        return NULL;
    s = &b->sources[b->plan->source_count - 1];
    (void)snprintf(s->at, sizeof(s->at), "%.*s", len, at);
    return s;
}

/* What is before the manifest's name is where its body is. */
static int base_length(const char *at)
{
    size_t n = strcspn(at, "?#");

    while (n > 0 && at[n - 1] != '/')
        n--;
    return n > 0 ? (int)n - 1 : 0;
}

static void add_own(struct engine *e)
{
    struct body *b = e->job.body;
    struct body_source *s = add(b, b->at, base_length(b->at));

    if (!s)
        return;
    s->is_dir = e->job.kind == INTAKE_PATH;
    s->hostile = e->job.hostile;
}

static void add_mirrors(struct engine *e)
{
    struct body *b = e->job.body;

    for (const char *const *m = e->cfg->mirrors; m && *m; m++) {
        char at[URL_MAX];
        int n = snprintf(at, sizeof(at), "%s/%s", *m, b->id);

        if (n > 0 && (size_t)n < sizeof(at))
            (void)add(b, at, n);
    }
}

static void add_peers(struct engine *e)
{
    struct body *b = e->job.body;
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);
        struct body_source *s;
        char at[URL_MAX];
        int n;

        if (p->kind != PEER_HTTP || !p->cairn || !peer_usable(p, mono, now))
            continue;
        n = snprintf(at, sizeof(at), "%s/snapshots/%s", p->url, b->id);
        s = n > 0 && (size_t)n < sizeof(at) ? add(b, at, n) : NULL;
        if (!s)
            continue;
        s->hostile = p->hostile;
        s->peer = p;
        atomic_fetch_add(&p->held, 1);
    }
}

void body_sources_find(struct engine *e)
{
    struct body *b = e->job.body;
    int64_t mono = clock_mono_ms();

    if (b->plan->source_count == 0) {
        add_own(e);
        add_mirrors(e);
    }
    if (mono < b->peers_mono_ms)
        return;
    b->peers_mono_ms = mono + PEERS_EVERY_MS;
    add_peers(e);
}

char *body_sources_url(const struct body_source *s, const char *file)
{
    return xasprintf("%s/%s", s->at, file);
}

void body_sources_blame(struct engine *e, size_t source, const struct err *why)
{
    struct body *b = e->job.body;
    struct body_source *s = &b->sources[source];

    log_warn("a source gave what does not hold", KV_S("source", s->at),
             KV_S("reason", reason_code(why->reason)), KV_S("detail", why->msg));
    plan_blame(b->plan, source, why->reason, why->msg);
    if (s->peer)
        peer_blame(s->peer, PEER_FAULT_LIE, why->reason, 0, why->msg, clock_mono_ms(),
                   clock_now_ms());
}

/* --- what an answer says of its source --- */

static void set(struct plan_failure *out, enum plan_fault fault, enum reason reason,
                const char *why)
{
    *out = (struct plan_failure){.fault = fault, .reason = reason};
    (void)snprintf(out->why, sizeof(out->why), "%.119s", why);
}

static void of_status(const struct transfer_request *r, struct plan_failure *out)
{
    char why[32];

    (void)snprintf(why, sizeof(why), "HTTP %ld", r->status);
    if (r->status == 200)
        set(out, PLAN_USELESS, REASON_SOURCE_NO_RANGES,
            "it answers the whole file to a request for a part of it");
    else if (r->status == 416)
        set(out, PLAN_USELESS, REASON_SOURCE_CHANGED,
            "HTTP 416: its file is shorter than the snapshot's");
    else if (r->status == 429 || (r->status == 503 && r->retry_after_s > 0))
        set(out, PLAN_LATER, REASON_PEER_RATE_LIMITED, why);
    else if (r->status >= 500 || r->status == 408)
        set(out, PLAN_FAILED, REASON_SOURCE_UNREACHABLE, why);
    else
        set(out, PLAN_USELESS, REASON_SOURCE_UNREACHABLE, why);
    out->wait_ms =
        (r->retry_after_s < BODY_RETRY_AFTER_MAX_S ? r->retry_after_s
                                                   : BODY_RETRY_AFTER_MAX_S) *
        1000;
}

/* Another try may go well. */
static bool may_pass(enum reason reason)
{
    return reason == REASON_SOURCE_UNREACHABLE || reason == REASON_PEER_TIMEOUT ||
           reason == REASON_SOURCE_TOO_SLOW || reason == REASON_INTERNAL;
}

bool body_sources_fault(const struct transfer_request *r, uint64_t whole,
                        struct plan_failure *out)
{
    uint64_t want = r->has_range ? r->range_to - r->range_from + 1 : whole;
    bool all = want == whole;

    if (r->status == 200 && !all) {
        of_status(r, out); /* that it is too long is only what came of it */
        return true;
    }
    if (r->err.code) {
        set(out, may_pass(r->err.reason) ? PLAN_FAILED : PLAN_USELESS, r->err.reason,
            r->err.msg);
        return true;
    }
    if (r->status != 206 && r->status != 200) {
        of_status(r, out);
        return true;
    }
    if (r->status == 206 && r->total != 0 && r->total != whole) {
        set(out, PLAN_USELESS, REASON_SOURCE_CHANGED,
            "its file has another size than the snapshot's");
        return true;
    }
    if (atomic_load(&r->received) != want) {
        set(out, PLAN_FAILED, REASON_SOURCE_UNREACHABLE,
            "the answer is shorter than what was asked for");
        return true;
    }
    return false;
}
