#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/measure.h"

static bool failed;
static char directory[] = "/tmp/cairn-bench-XXXXXX";

struct measure_args measure_args(int argc, char **argv, uint64_t fallback,
                                 uint64_t full)
{
    struct measure_args a = {.count = 0};

    for (int i = 1; i < argc; i++) {
        char *end;

        if (strcmp(argv[i], "--full") == 0) {
            a.full = true;
            continue;
        }
        a.count = strtoull(argv[i], &end, 10);
        if (a.count == 0 || *end != '\0') {
            (void)fprintf(stderr, "usage: %s [--full] [COUNT]\n", argv[0]);
            exit(2);
        }
    }
    if (a.count == 0)
        a.count = a.full ? full : fallback;
    return a;
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double measure_now(void)
{
    return seconds(CLOCK_MONOTONIC);
}

double measure_cpu(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

double measure_peak_mib(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

void measure_must(enum errc rc, const struct err *err)
{
    if (rc == ERR_OK)
        return;
    (void)fprintf(stderr, "%s\n", err->msg);
    exit(EXIT_FAILURE);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

double measure_median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void measure_print(const char *name, double value, const char *unit)
{
    (void)printf("%-28s %14.4g %s\n", name, value, unit);
    (void)fflush(stdout);
}

static void judge(bool good)
{
    (void)printf(" %s\n", good ? "PASS" : "FAIL");
    (void)fflush(stdout);
    failed = failed || !good;
}

void measure_at_least(const char *name, double value, const char *unit, double ratio,
                      double limit)
{
    (void)printf("%-28s %14.4g %-8s %6.2f >=%.2f", name, value, unit, ratio, limit);
    judge(ratio >= limit);
}

void measure_at_most(const char *name, double value, const char *unit, double limit)
{
    (void)printf("%-28s %14.4g %-8s %6.2f <=1.00", name, value, unit, value / limit);
    judge(value <= limit);
}

static void remove_directory(void)
{
    DIR *d = opendir(directory);
    const struct dirent *e;

    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        (void)closedir(d);
    (void)rmdir(directory);
}

const char *measure_directory(void)
{
    if (!mkdtemp(directory)) {
        perror(directory);
        exit(EXIT_FAILURE);
    }
    (void)atexit(remove_directory);
    return directory;
}

int measure_result(void)
{
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
