#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sync/snapshot/plan.h"

/* Pieces and frames: what is asked for, by whom, and what of it holds. */

enum {
    FIRST_MS = 500, /* a piece is what its connection brings in that time */
};

struct plan *plan_create(const struct plan_limits *limits)
{
    struct plan *p = xcalloc(1, sizeof(*p));

    p->limits = *limits;
    return p;
}

void plan_set_frames(struct plan *p, uint32_t frames,
                     uint32_t (*length)(const void *arg, uint32_t i), const void *arg)
{
    uint64_t end = 0;

    assert(p->frames == 0);
    p->frames = frames;
    p->ends = xcalloc((size_t)frames + 1, sizeof(p->ends[0]));
    p->marks = xcalloc((size_t)frames + 1, 1);
    for (uint32_t i = 0; i < frames; i++) {
        end += length(arg, i);
        p->ends[i] = end;
    }
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    free(p->ends);
    free(p->marks);
    free(p);
}

static uint64_t start_of(const struct plan *p, uint32_t frame)
{
    return frame == 0 ? 0 : p->ends[frame - 1];
}

/* --- frames --- */

bool plan_is_verified(const struct plan *p, uint32_t frame)
{
    return (p->marks[frame] & PLAN_VERIFIED) != 0;
}

bool plan_is_whole(const struct plan *p)
{
    return p->verified == p->frames;
}

static bool is_wanted(const struct plan *p, const struct plan_ask *a)
{
    for (uint32_t i = a->first; i < a->first + a->count; i++)
        if (!plan_is_verified(p, i))
            return true;
    return false;
}

void plan_verified(struct plan *p, uint32_t frame)
{
    if (plan_is_verified(p, frame))
        return;
    p->marks[frame] |= PLAN_VERIFIED;
    p->verified++;
    p->bytes_verified += p->ends[frame] - start_of(p, frame);
    if (p->marks[frame] == PLAN_VERIFIED)
        return; /* nobody was asked */
    for (size_t i = 0; i < PLAN_ASKS_MAX; i++) {
        struct plan_ask *a = &p->asks[i];

        if (a->used && !a->arrived && frame >= a->first &&
            frame - a->first < a->count && !is_wanted(p, a))
            a->lost = true;
    }
}

/* --- asks --- */

bool plan_has_room(const struct plan *p, uint64_t len)
{
    uint64_t in_hand = 0;
    unsigned running = 0;
    bool slot = false;

    for (size_t i = 0; i < PLAN_ASKS_MAX; i++) {
        const struct plan_ask *a = &p->asks[i];

        slot = slot || !a->used;
        if (a->used) {
            in_hand += a->len;
            running += !a->arrived;
        }
    }
    return slot && running < p->limits.total &&
           (in_hand == 0 || in_hand + len <= p->limits.in_hand);
}

size_t plan_begin(struct plan *p, const struct plan_ask *ask, int64_t now_ms)
{
    struct plan_source *s = &p->sources[ask->source];
    size_t at = 0;

    while (p->asks[at].used)
        at++; /* plan_has_room said that there is one */
    assert(at < PLAN_ASKS_MAX);
    p->asks[at] = *ask;
    p->asks[at].used = true;
    p->asks[at].asked_ms = p->asks[at].moved_ms = now_ms;
    for (uint32_t i = ask->first; i < ask->first + ask->count; i++)
        p->marks[i]++;
    plan_meter_run(s, now_ms);
    s->in_flight++;
    p->tokens -= (double)ask->len;
    return at;
}

static void leave_source(struct plan *p, const struct plan_ask *a, int64_t now_ms)
{
    struct plan_source *s = &p->sources[a->source];

    plan_meter_run(s, now_ms);
    s->in_flight--;
}

void plan_received(struct plan *p, size_t ask, uint64_t bytes, int64_t now_ms)
{
    struct plan_ask *a = &p->asks[ask];
    struct plan_source *s = &p->sources[a->source];

    if (bytes <= a->received)
        return;
    plan_meter_run(s, now_ms);
    s->meter.bytes += bytes - a->received;
    a->received = bytes;
    a->moved_ms = now_ms;
}

void plan_arrived(struct plan *p, size_t ask, int64_t now_ms)
{
    struct plan_ask *a = &p->asks[ask];

    plan_received(p, ask, a->len, now_ms);
    p->sources[a->source].failures = 0;
    a->arrived = true;
    leave_source(p, a, now_ms);
}

void plan_end(struct plan *p, size_t ask, int64_t now_ms)
{
    struct plan_ask *a = &p->asks[ask];

    if (!a->arrived)
        leave_source(p, a, now_ms);
    else if (!p->sources[a->source].blamed)
        p->sources[a->source].proven = true;
    for (uint32_t i = a->first; i < a->first + a->count; i++)
        p->marks[i]--;
    if (a->first < p->hint)
        p->hint = a->first;
    *a = (struct plan_ask){.used = false};
}

/* --- what is next --- */

static bool find_missing(struct plan *p, uint32_t *first)
{
    while (p->hint < p->frames && p->marks[p->hint] != 0)
        p->hint++;
    *first = p->hint;
    return p->hint < p->frames;
}

/* As much as its connection brings in a short while, so that what is slow holds up
   little; the first one alone. */
static uint64_t piece_of(const struct plan *p, size_t source)
{
    unsigned others = p->sources[source].in_flight;
    double bytes = plan_rate(p, source) / (others + 1) * FIRST_MS / 1000.0;

    return bytes < (double)p->limits.piece ? (uint64_t)bytes : p->limits.piece;
}

static struct plan_ask cut(const struct plan *p, size_t source, uint32_t first)
{
    struct plan_ask a = {.source = source, .first = first, .count = 1};
    uint64_t most = piece_of(p, source);
    uint32_t next = first + 1;

    a.from = start_of(p, first);
    while (next < p->frames && p->marks[next] == 0 && p->ends[next] - a.from <= most)
        next++;
    a.count = next - first;
    a.len = p->ends[next - 1] - a.from;
    return a;
}

/* Who has least to do, then who is fastest. */
static bool choose_source(const struct plan *p, int64_t now_ms, size_t *out)
{
    bool found = false;

    for (size_t i = 0; i < p->source_count; i++) {
        const struct plan_source *s = &p->sources[i], *best = &p->sources[*out];

        if (!plan_may_ask(p, i, now_ms))
            continue;
        if (found &&
            (s->in_flight > best->in_flight || (s->in_flight == best->in_flight &&
                                                plan_rate(p, i) <= plan_rate(p, *out))))
            continue;
        *out = i;
        found = true;
    }
    return found;
}

/* A bucket that is full after a second; what is asked for may overdraw it once. */
static bool may_spend(struct plan *p, int64_t now_ms)
{
    double most = (double)p->limits.bandwidth;

    if (p->limits.bandwidth == 0)
        return true;
    if (p->filled_ms == 0)
        p->tokens = most;
    else if (now_ms > p->filled_ms)
        p->tokens += most * (double)(now_ms - p->filled_ms) / 1000.0;
    p->filled_ms = now_ms;
    if (p->tokens > most)
        p->tokens = most;
    return p->tokens > 0.0;
}

bool plan_next(struct plan *p, int64_t now_ms, size_t *ask)
{
    struct plan_ask a;
    size_t source = 0;
    uint32_t first;

    if (plan_is_whole(p) || !may_spend(p, now_ms))
        return false;
    if (!find_missing(p, &first))
        return plan_hedge(p, now_ms, ask);
    if (!choose_source(p, now_ms, &source))
        return false;
    a = cut(p, source, first);
    if (!plan_has_room(p, a.len))
        return false;
    *ask = plan_begin(p, &a, now_ms);
    return true;
}
