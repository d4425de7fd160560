#include <math.h>

#include "sync/chain/difficulty.h"

enum { SPACING_SECONDS = 120, SHORT_WINDOW = 144, LONG_WINDOW = 2016 };
_Static_assert((int)HEADER_WINDOW_MIN > (int)SHORT_WINDOW,
               "rule 2 must always be computable");
_Static_assert((int)HEADER_WINDOW >= (int)LONG_WINDOW, "rule 3 must be computable");

static double timestamp_at(const struct header_window *w, uint64_t height)
{
    return w->timestamp[height % HEADER_WINDOW];
}

static double clamp_ratio(double ratio)
{
    return fmin(fmax(ratio, 0.25), 4.0);
}

/* As Python's round: half to even, the default rounding direction. */
static uint32_t round_difficulty(double value)
{
    return value < 1.0 ? 1 : (uint32_t)nearbyint(value);
}

/* Seconds over the last SHORT_WINDOW headers, where time that stands still or goes back
   counts as 1.2 s a header. */
static double sane_span(const struct header_window *w)
{
    double first = timestamp_at(w, w->next_height - SHORT_WINDOW), last = first;

    for (uint64_t h = w->next_height - SHORT_WINDOW + 1; h < w->next_height; h++) {
        double t = timestamp_at(w, h);

        last = t > last ? t : last + 1.2;
    }
    return last - first;
}

/* Rule 2. */
static uint32_t every_144(const struct header_window *w, uint32_t base)
{
    double raw = timestamp_at(w, w->next_height - 1) -
                 timestamp_at(w, w->next_height - SHORT_WINDOW);
    double span = sane_span(w);

    if (fpclassify(raw) == FP_ZERO || span <= 0)
        return base;
    return round_difficulty(base *
                            clamp_ratio(SPACING_SECONDS * (SHORT_WINDOW - 1) / span));
}

/* Rule 3, whose sign is the wrong way round: slow blocks raise the difficulty. */
static struct difficulty_range every_2016(const struct header_window *w, uint32_t base)
{
    double span;
    uint32_t d;

    if (w->count < LONG_WINDOW)
        return (struct difficulty_range){round_difficulty(base / 4.0), base * 4};
    span = timestamp_at(w, w->next_height - 1) -
           timestamp_at(w, w->next_height - LONG_WINDOW);
    if (span <= 0)
        span = 1;
    d = round_difficulty(base /
                         clamp_ratio((double)SPACING_SECONDS * LONG_WINDOW / span));
    return (struct difficulty_range){d, d};
}

static uint32_t cap(uint32_t d, const struct chain_params *params)
{
    return params->max_difficulty > 0 && d > params->max_difficulty
               ? params->max_difficulty
               : d;
}

struct difficulty_range difficulty_regular(const struct header_window *w,
                                           const struct chain_params *params)
{
    uint64_t n = w->next_height; /* headers below, from genesis */
    uint32_t base = w->difficulty[(n - 1) % HEADER_WINDOW];
    struct difficulty_range r;

    if (base < 1)
        base = 1;
    r = (struct difficulty_range){base, base};
    if (n > 1 && (n - 1) % SHORT_WINDOW == 0)
        r.low = r.high = every_144(w, base);
    else if (n % LONG_WINDOW == 0)
        r = every_2016(w, base);
    r.low = cap(r.low, params);
    r.high = cap(r.high, params);
    return r;
}
