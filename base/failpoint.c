#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"

static const char *const names[FAILPOINT_COUNT] = {
    [FAILPOINT_SYNC_BEFORE] = "sync_before",
    [FAILPOINT_SYNC_AFTER] = "sync_after",
    [FAILPOINT_RENAME_BEFORE] = "rename_before",
    [FAILPOINT_RENAME_AFTER] = "rename_after",
    [FAILPOINT_COMMIT_BEFORE] = "commit_before",
    [FAILPOINT_COMMIT_AFTER] = "commit_after",
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool armed;
static unsigned kill_at[FAILPOINT_COUNT]; /* 0: not here */
static int trace = -1;
static atomic_uint passed[FAILPOINT_COUNT];

/* The environment is read once, before any thread could change it. */
static const char *env(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
}

static void read_environment(void)
{
    const char *hooks = env("CAIRN_TEST_HOOKS"), *at = env("CAIRN_FAILPOINT"),
               *file = env("CAIRN_FAILPOINT_TRACE");

    if (!hooks || strcmp(hooks, "1") != 0)
        return;
    for (size_t i = 0; at && i < FAILPOINT_COUNT; i++) {
        size_t n = strlen(names[i]);

        if (strncmp(at, names[i], n) == 0 && at[n] == ':')
            kill_at[i] = (unsigned)strtoul(at + n + 1, NULL, 10);
    }
    if (file)
        trace = open(file, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
    armed = true;
}

void failpoint_pass(enum failpoint point)
{
    unsigned n;

    (void)pthread_once(&once, read_environment);
    if (!armed)
        return;
    n = atomic_fetch_add(&passed[point], 1) + 1;
    if (trace >= 0)
        (void)dprintf(trace, "%s\n", names[point]);
    if (n == kill_at[point])
        (void)kill(getpid(), SIGKILL);
}
