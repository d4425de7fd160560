#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/body_impl.h"

/* The frames: asked for as the plan says, to memory, and handed to the workers. */
static const struct plan_failure stalled = {.fault = PLAN_FAILED,
                                            .reason = REASON_SOURCE_TOO_SLOW,
                                            .why = "nothing came of a request"};

static void log_drop(const struct body *b, size_t source)
{
    const struct plan_source *s = &b->plan->sources[source];

    if (!s->dropped)
        return;
    if (b->sources[source].peer && !s->proven &&
        s->reason == REASON_SOURCE_UNREACHABLE) /* few peers have just this one */
        log_debug("a peer has not this snapshot", KV_S("peer", b->sources[source].at),
                  KV_S("detail", s->why));
    else
        log_warn("a source is given up for this download",
                 KV_S("source", b->sources[source].at),
                 KV_S("reason", reason_code(s->reason)), KV_S("detail", s->why));
}

static void on_piece(struct engine *e, const struct fetch *f,
                     struct transfer_request *r)
{
    struct body *b = e->job.body;
    int64_t mono = clock_mono_ms();
    const struct plan_ask *a;
    struct plan_failure fault;
    size_t source;

    if (!b || f->serial != (uint64_t)e->job.id)
        return; /* the last of a body that was whole before it came */
    a = &b->plan->asks[f->slot];
    source = a->source;

    b->requests[f->slot] = NULL;
    b->sources[source].bytes += atomic_load(&r->received);
    b->fetched_bytes += atomic_load(&r->received);
    plan_received(b->plan, f->slot, atomic_load(&r->received), mono);
    if (r->err.code == ERR_CANCELED && !a->lost) {
        plan_failed(b->plan, f->slot, &stalled, mono);
        log_drop(b, source);
    } else if (r->err.code == ERR_CANCELED || a->lost) {
        plan_end(b->plan, f->slot, mono);
    } else if (body_sources_fault(r, b->manifest->frames_bytes, &fault)) {
        plan_failed(b->plan, f->slot, &fault, mono);
        log_drop(b, source);
    } else {
        plan_arrived(b->plan, f->slot, mono);
        body_check_piece(e, f->slot, TAKE(r->body));
    }
}

static struct transfer_request *request(const struct body *b, const struct plan_ask *a)
{
    const struct body_source *s = &b->sources[a->source];
    AUTOFREE char *url = body_sources_url(s, "base.coins.zst");
    struct transfer_request *r = transfer_request_new(url);

    r->has_range = true;
    r->range_from = a->from;
    r->range_to = a->from + a->len - 1;
    r->max_bytes = a->len;
    r->min_speed = BODY_LEAST_SPEED;
    r->min_speed_seconds = BODY_SPEED_WINDOW_S;
    r->connect_timeout_ms = BODY_CONNECT_MS;
    r->max_redirects = BODY_REDIRECTS;
    r->hostile = s->hostile;
    return r;
}

static void ask(struct engine *e, size_t i)
{
    struct body *b = e->job.body;
    const struct plan_ask *a = &b->plan->asks[i];
    struct transfer_request *r;

    if (b->sources[a->source].is_dir) {
        plan_arrived(b->plan, i, clock_mono_ms());
        body_check_piece(e, i, NULL);
        return;
    }
    r = request(b, a);
    b->requests[i] = r;
    /* engine_can_fetch said that there is room. */
    (void)engine_fetch(e, r,
                       &(struct fetch){.slot = i,
                                       .serial = (uint64_t)e->job.id,
                                       .peer = b->sources[a->source].peer,
                                       .done = on_piece});
}

static void look(struct engine *e)
{
    struct body *b = e->job.body;
    int64_t mono = clock_mono_ms();
    bool cancelled = false;
    size_t slow;

    for (size_t i = 0; i < PLAN_ASKS_MAX; i++) {
        if (!b->requests[i])
            continue;
        plan_received(b->plan, i, atomic_load(&b->requests[i]->received), mono);
        if (b->plan->asks[i].lost || mono - b->plan->asks[i].moved_ms > BODY_STALL_MS) {
            atomic_store(&b->requests[i]->cancel, true);
            cancelled = true;
        }
    }
    if (plan_drop_slow(b->plan, mono, &slow)) {
        log_drop(b, slow);
        if (b->plan->keeps_slow)
            log_warn("many sources were too slow, the best there is are kept",
                     KV_S("snapshot", b->id));
    }
    if (cancelled)
        transfer_wake(e->transfer);
}

/* For the reason of who was to blame, or else of where the manifest came from. */
static void give_up(struct engine *e)
{
    const struct plan *p = e->job.body->plan;
    const struct plan_source *last = &p->sources[0];
    struct err err;

    for (size_t i = 0; i < p->source_count && !last->blamed; i++)
        if (p->sources[i].blamed)
            last = &p->sources[i];
    (void)err_fail(&err, last->reason, "no source is left: %.120s", last->why);
    body_publish(e, true);
    bootstrap_source_failed(e, &err);
}

static void show(struct engine *e)
{
    const struct body *b = e->job.body;
    uint64_t done = b->plan->bytes_verified;

    for (size_t i = 0; i < PLAN_ASKS_MAX; i++)
        if (b->plan->asks[i].used && !b->plan->asks[i].hedge)
            done += b->plan->asks[i].received;
    engine_progress(e, "bytes",
                    done < b->manifest->frames_bytes ? done : b->manifest->frames_bytes,
                    b->manifest->frames_bytes);
}

void body_pieces_pump(struct engine *e)
{
    struct body *b = e->job.body;
    size_t i;

    look(e);
    body_sources_find(e);
    while (engine_can_fetch(e) && plan_next(b->plan, clock_mono_ms(), &i))
        ask(e, i);
    show(e);
    if (plan_is_whole(b->plan) && b->checks_out == 0)
        body_check_finish(e);
    else if (plan_is_stuck(b->plan) && b->checks_out == 0)
        give_up(e);
}
