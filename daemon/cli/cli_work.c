#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/chan.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "daemon/cli/cli_progress.h"
#include "daemon/cli/cli_work.h"

enum { STEP_MS = 200 };

struct job {
    struct task task; /* first: the pool knows this */
    const struct cli_work *work;
    enum errc rc;
    struct err *err;
};

static void run(struct task *task)
{
    struct job *job = (struct job *)task;

    job->rc = job->work->run(job->work->arg, job->err);
}

static void hand_back(void *arg, struct task *task)
{
    if (!chan_send(arg, task))
        abort(); /* nobody closes it */
}

static void draw(const struct cli_work *w, int64_t since_ms)
{
    double done = (double)atomic_load(w->done), total = (double)w->total;
    double seconds = (double)(clock_mono_ms() - since_ms) / 1000;
    cJSON *progress = cJSON_CreateObject();
    AUTOFREE char *line = NULL;

    cJSON_AddStringToObject(progress, "stage", w->what);
    cJSON_AddStringToObject(progress, "unit", "bytes");
    cJSON_AddNumberToObject(progress, "done", done);
    cJSON_AddNumberToObject(progress, "total", total);
    cJSON_AddNumberToObject(progress, "percent", total > 0 ? 100 * done / total : 100);
    if (seconds > 1 && done > 0) {
        cJSON_AddNumberToObject(progress, "rate", done / seconds);
        cJSON_AddNumberToObject(progress, "eta_seconds",
                                (total - done) * seconds / done);
    }
    line = cli_progress_line(progress);
    cJSON_Delete(progress);
    (void)fprintf(stderr, "\r\033[K%s", line);
}

enum errc cli_work_run(const struct cli *c, const struct cli_work *w, struct err *err)
{
    bool shown = isatty(STDERR_FILENO) && !cli_is_json(c);
    struct job job = {.task.run = run, .work = w, .err = err};
    struct chan *ended = chan_create(1);
    struct pool *pool = pool_create(1, 1, hand_back, ended);
    int64_t since_ms = clock_mono_ms();

    pool_submit(pool, &job.task);
    while (!chan_recv_for(ended, STEP_MS))
        if (shown)
            draw(w, since_ms);
    if (shown)
        (void)fputs("\r\033[K", stderr);
    pool_free(pool);
    chan_free(ended);
    return job.rc;
}
