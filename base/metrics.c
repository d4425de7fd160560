#include <stdatomic.h>

#include "base/metrics.h"

static _Atomic double values[METRIC_COUNT];

static const struct {
    const char *name, *type, *help;
} metrics[METRIC_COUNT] = {
#define METRIC(id, name, type, help) {name, #type, help},
#include "base/metrics.def"
#undef METRIC
};

void metrics_add(enum metric m, uint64_t n)
{
    double old = atomic_load_explicit(&values[m], memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(
        &values[m], &old, old + (double)n, memory_order_relaxed, memory_order_relaxed))
        ;
}

void metrics_set(enum metric m, double value)
{
    atomic_store_explicit(&values[m], value, memory_order_relaxed);
}

void metrics_write(struct buf *out)
{
    for (enum metric m = 0; m < METRIC_COUNT; m++)
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", metrics[m].name,
                   metrics[m].help, metrics[m].name, metrics[m].type, metrics[m].name,
                   atomic_load_explicit(&values[m], memory_order_relaxed));
}
