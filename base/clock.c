#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) != 0)
        abort();
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    const char *offset =
        getenv("CAIRN_TEST_CLOCK_OFFSET"); /* NOLINT(concurrency-mt-unsafe): nobody sets
                                              it after start */

    return read_ms(CLOCK_REALTIME) + (offset ? strtoll(offset, NULL, 10) * 1000 : 0);
}

int64_t clock_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

void clock_text(int64_t ms, char out[CLOCK_TEXT])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char day[20];

    (void)gmtime_r(&seconds, &tm);
    (void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out, CLOCK_TEXT, "%s.%03uZ", day, (unsigned)(ms % 1000) % 1000U);
}
