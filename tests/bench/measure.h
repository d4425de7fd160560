#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * What the benchmarks share.  Machines are shared and noisy, so what counts is a ratio
 * of two things measured in turn in one run, the median of some rounds.
 */
enum { MEASURE_ROUNDS_MAX = 64 };

struct measure_args {
    bool full; /* the sizes of the real goals */
    uint64_t count;
};

/* [--full] [COUNT]; anything else ends the program. */
struct measure_args measure_args(int argc, char **argv, uint64_t fallback,
                                 uint64_t full);

double measure_now(void);      /* seconds */
double measure_cpu(void);      /* seconds of this process, all threads */
double measure_peak_mib(void); /* of resident memory, this process */

/* Ends the program when rc is not ERR_OK. */
void measure_must(enum errc rc, const struct err *err);

/* Reorders. */
double measure_median(double *values, size_t n);

/* `name value unit ratio limit PASS|FAIL`, and without a limit `name value unit`. */
void measure_print(const char *name, double value, const char *unit);
void measure_at_least(const char *name, double value, const char *unit, double ratio,
                      double limit);
void measure_at_most(const char *name, double value, const char *unit, double limit);

/* A directory of its own that is gone, with its files, when the program ends. */
const char *measure_directory(void);

/* What main returns: failure if a line said FAIL. */
int measure_result(void);

#endif
