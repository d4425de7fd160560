#include <math.h>

#include "sync/snapshot/plan.h"

/* The end of a download: everything is asked for, and the slowest are waited for. */

enum {
    HEDGE_MS = 300, /* what comes sooner is waited for */
    FASTER = 2,     /* so many times sooner the other has to be */
};

/* Seconds until it is here at the rate of its source, or as it came so far. */
static double time_left(const struct plan *p, const struct plan_ask *a, int64_t now_ms)
{
    double rate = plan_rate(p, a->source) / p->sources[a->source].in_flight;
    double age = (double)(now_ms - a->asked_ms) / 1000.0;
    double own = age > 0.0 ? (double)a->received / age : 0.0;

    if (age * 1000.0 > HEDGE_MS && own < rate)
        rate = own;
    return rate > 0.0 ? (double)(a->len - a->received) / rate : HUGE_VAL;
}

static bool is_hedged(const struct plan *p, const struct plan_ask *a)
{
    for (uint32_t i = a->first; i < a->first + a->count; i++)
        if ((p->marks[i] & ~PLAN_VERIFIED) > 1)
            return true;
    return false;
}

static bool find_slowest(const struct plan *p, int64_t now_ms, size_t *out,
                         double *seconds)
{
    *seconds = 0.0;
    for (size_t i = 0; i < PLAN_ASKS_MAX; i++) {
        const struct plan_ask *a = &p->asks[i];
        double left;

        if (!a->used || a->arrived || a->lost || is_hedged(p, a) ||
            now_ms - a->asked_ms < HEDGE_MS)
            continue;
        left = time_left(p, a, now_ms);
        if (left > *seconds) {
            *seconds = left;
            *out = i;
        }
    }
    return *seconds * 1000.0 > HEDGE_MS;
}

static bool find_fastest(const struct plan *p, size_t except, int64_t now_ms,
                         size_t *out, double *rate)
{
    *rate = 0.0;
    for (size_t i = 0; i < p->source_count; i++) {
        double own = plan_rate(p, i) / (p->sources[i].in_flight + 1);

        if (i != except && plan_may_ask(p, i, now_ms) && own > *rate) {
            *rate = own;
            *out = i;
        }
    }
    return *rate > 0.0;
}

bool plan_hedge(struct plan *p, int64_t now_ms, size_t *ask)
{
    double left, rate;
    size_t slow = 0, source = 0;
    struct plan_ask a;

    if (!find_slowest(p, now_ms, &slow, &left) ||
        !find_fastest(p, p->asks[slow].source, now_ms, &source, &rate))
        return false;
    a = p->asks[slow];
    if ((double)a.len / rate * FASTER > left || !plan_has_room(p, a.len))
        return false;
    a.source = source;
    a.received = 0;
    a.hedge = true;
    *ask = plan_begin(p, &a, now_ms);
    return true;
}
