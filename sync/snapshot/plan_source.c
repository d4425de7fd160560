#include <stdio.h>

#include "sync/snapshot/plan.h"

/* Sources: their speed, their failures, and who is given up. */

enum {
    WAIT_FIRST_MS = 1000, /* after a failure; doubled by each in a row */
    WAIT_MOST_MS = 60000,
    MARK_MS = 1000,
    LEAST_MS = 200, /* what came sooner counts as if it had taken that long */
};

bool plan_add_source(struct plan *p)
{
    if (p->source_count == PLAN_SOURCES_MAX)
        return false;
    p->sources[p->source_count++] = (struct plan_source){.dropped = false};
    return true;
}

/* --- speed --- */

/* What its bytes are counted over; before each change of what is under way. */
void plan_meter_run(struct plan_source *s, int64_t now_ms)
{
    struct plan_meter *m = &s->meter;
    size_t n = sizeof(m->marks) / sizeof(m->marks[0]);

    if (s->in_flight > 0 && now_ms > m->last_ms)
        m->active_ms += (uint64_t)(now_ms - m->last_ms);
    m->last_ms = now_ms;
    if (m->marked > 0 &&
        m->active_ms - m->marks[(m->marked - 1) % n].active_ms < MARK_MS)
        return;
    m->marks[m->marked % n].active_ms = m->active_ms;
    m->marks[m->marked % n].bytes = m->bytes;
    m->marked++;
}

static uint64_t window(const struct plan_meter *m, uint64_t *bytes)
{
    size_t n = sizeof(m->marks) / sizeof(m->marks[0]);
    size_t oldest = m->marked > n ? m->marked % n : 0;

    *bytes = m->bytes - m->marks[oldest].bytes;
    return m->active_ms - m->marks[oldest].active_ms;
}

double plan_rate(const struct plan *p, size_t source)
{
    uint64_t bytes, ms = window(&p->sources[source].meter, &bytes);

    return (double)bytes * 1000.0 / (double)(ms > LEAST_MS ? ms : LEAST_MS);
}

static bool is_measured(const struct plan_source *s)
{
    uint64_t bytes;

    return window(&s->meter, &bytes) >= (uint64_t)PLAN_WINDOW_S * 1000;
}

/* --- who may be asked --- */

/* One request until it is known what comes of them. */
bool plan_may_ask(const struct plan *p, size_t source, int64_t now_ms)
{
    const struct plan_source *s = &p->sources[source];
    unsigned most = !s->proven || s->failures > 0 ? 1 : p->limits.per_source;

    return !s->dropped && now_ms >= s->wait_until_ms && s->in_flight < most;
}

bool plan_is_stuck(const struct plan *p)
{
    for (size_t i = 0; i < p->source_count; i++)
        if (!p->sources[i].dropped)
            return false;
    return !plan_is_whole(p);
}

/* --- who is not --- */

static void note(struct plan_source *s, enum reason reason, const char *why)
{
    s->reason = reason;
    (void)snprintf(s->why, sizeof(s->why), "%s", why);
}

void plan_drop(struct plan *p, size_t source, enum reason reason, const char *why)
{
    if (p->sources[source].dropped)
        return;
    p->sources[source].dropped = true;
    note(&p->sources[source], reason, why);
    for (size_t i = 0; i < PLAN_ASKS_MAX; i++)
        if (p->asks[i].used && !p->asks[i].arrived && p->asks[i].source == source)
            p->asks[i].lost = true;
}

void plan_blame(struct plan *p, size_t source, enum reason reason, const char *why)
{
    struct plan_source *s = &p->sources[source];

    plan_drop(p, source, reason, why);
    s->blamed = true;
    s->errors++;
    note(s, reason, why);
}

static int64_t wait_of(const struct plan_source *s, uint32_t asked_ms)
{
    unsigned steps = s->failures > 7 ? 6 : s->failures - 1;
    int64_t wait = (int64_t)WAIT_FIRST_MS << steps;

    wait = wait < WAIT_MOST_MS ? wait : WAIT_MOST_MS;
    return (int64_t)asked_ms > wait ? (int64_t)asked_ms : wait;
}

void plan_failed(struct plan *p, size_t ask, const struct plan_failure *f,
                 int64_t now_ms)
{
    size_t source = p->asks[ask].source;
    struct plan_source *s = &p->sources[source];
    bool anew = s->failures == 0 || p->asks[ask].asked_ms > s->failed_ms;

    plan_end(p, ask, now_ms);
    s->errors++;
    /* What was under way when it failed comes down with it: that is one failure. */
    if (anew) {
        s->failures++;
        s->failed_ms = now_ms;
    }
    if (f->fault == PLAN_USELESS || s->failures >= PLAN_FAILURES_MAX) {
        plan_drop(p, source, f->reason, f->why);
        return;
    }
    note(s, f->reason, f->why);
    s->wait_until_ms = now_ms + wait_of(s, f->fault == PLAN_LATER ? f->wait_ms : 0);
}

/* --- who is too slow --- */

static double fastest(const struct plan *p)
{
    double best = 0.0;

    for (size_t i = 0; i < p->source_count; i++)
        if (!p->sources[i].dropped && plan_rate(p, i) > best)
            best = plan_rate(p, i);
    return best;
}

/* Where the bandwidth is capped, less cannot be held against anybody. */
static double least_speed(const struct plan *p)
{
    double least = (double)p->limits.min_speed;
    unsigned alive = 1;

    for (size_t i = 0; i < p->source_count; i++)
        alive += !p->sources[i].dropped;
    if (p->limits.bandwidth > 0 && least > (double)p->limits.bandwidth / alive)
        least = (double)p->limits.bandwidth / alive / 2;
    return least;
}

bool plan_drop_slow(struct plan *p, int64_t now_ms, size_t *source)
{
    double least = least_speed(p), best;

    for (size_t i = 0; i < p->source_count; i++)
        plan_meter_run(&p->sources[i], now_ms);
    best = fastest(p);
    for (size_t i = 0; i < p->source_count && !p->keeps_slow; i++) {
        double rate = plan_rate(p, i);
        char why[100];

        if (p->sources[i].dropped || !is_measured(&p->sources[i]) || rate >= least ||
            rate * 2 > best)
            continue;
        (void)snprintf(why, sizeof(why),
                       "%.0f bytes a second over %d seconds, another has %.0f", rate,
                       PLAN_WINDOW_S, best);
        plan_drop(p, i, REASON_SOURCE_TOO_SLOW, why);
        p->slow_drops++;
        p->keeps_slow = p->slow_drops >= PLAN_SLOW_DROPS;
        *source = i;
        return true;
    }
    return false;
}
