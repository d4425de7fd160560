#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

#include "base/buf.h"

/* Process-wide numbers, relaxed atomics; any thread.  The list is base/metrics.def. */
enum metric {
#define METRIC(id, name, type, help) METRIC_##id,
#include "base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

void metrics_add(enum metric m, uint64_t n);   /* counters */
void metrics_set(enum metric m, double value); /* gauges */
/* Prometheus text, version 0.0.4. */
void metrics_write(struct buf *out);

#endif
