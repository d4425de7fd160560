#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/cli/cli_progress.h"
#include "daemon/cli/cli_text.h"
#include "daemon/cli/cli_watch.h"

enum {
    STEP_TERMINAL_MS = 200,
    STEP_PLAIN_MS = 1000,
    LINE_EVERY_MS = 10000, /* where a line stays for good */
};

struct watch {
    bool terminal;
    bool drawn;    /* a line without its end */
    size_t stages; /* of the job, shown */
    int64_t line_at_ms;
};

static int terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

static void draw(struct watch *w, const cJSON *progress)
{
    AUTOFREE char *line = cli_progress_line(progress);

    (void)printf("\r\033[K%.*s", terminal_columns() - 1, line);
    (void)fflush(stdout);
    w->drawn = true;
}

static void clear(struct watch *w)
{
    (void)fputs(w->drawn ? "\r\033[K" : "", stdout);
    w->drawn = false;
}

/* A line for each stage that ended since. */
static void show_stages(struct watch *w, const cJSON *job)
{
    const cJSON *stage;
    size_t i = 0;

    cJSON_ArrayForEach (stage, cli_text_member(job, "stages")) {
        const char *state = cli_text_of(stage, "state");
        int64_t from, to;
        char took[CLI_TEXT_SHORT];

        if (i++ < w->stages || !cli_text_ms(stage, "started_at", &from) ||
            !cli_text_ms(stage, "ended_at", &to))
            continue;
        w->stages = i;
        clear(w);
        cli_text_seconds((double)(to - from) / 1000, took);
        cli_text_fact(cli_text_of(stage, "name"), "%s%s%s", took,
                      strcmp(state, "succeeded") == 0 ? "" : ", ",
                      strcmp(state, "succeeded") == 0 ? "" : state);
    }
    (void)fflush(stdout);
}

static void show(struct watch *w, const cJSON *progress)
{
    int64_t now = clock_mono_ms();

    if (w->terminal) {
        draw(w, progress);
    } else if (now >= w->line_at_ms) {
        AUTOFREE char *text = cli_progress_text(progress);

        cli_text_line(stdout, "", text);
        (void)fflush(stdout);
        w->line_at_ms = now + LINE_EVERY_MS;
    }
}

static bool has_ended(const cJSON *job)
{
    const char *state = cli_text_of(job, "state");

    return strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

/* The job, waited for one step; shows where it is when it goes on. */
static enum cli_exit step(struct cli *c, struct watch *w, const char *job_id,
                          struct cli_answer *job)
{
    const cJSON *progress;
    cJSON *params = cJSON_CreateObject();
    enum cli_exit rc;

    cJSON_AddStringToObject(params, "job_id", job_id);
    cJSON_AddNumberToObject(params, "timeout_ms",
                            w->terminal ? STEP_TERMINAL_MS : STEP_PLAIN_MS);
    rc = cli_call(c, "sync.wait", params, job);
    if (rc != CLI_DONE || cli_is_json(c))
        return rc;
    show_stages(w, job->result);
    progress = cli_text_member(job->result, "progress");
    if (progress && !has_ended(job->result))
        show(w, progress);
    return rc;
}

/* What the last stage of a dry run found. */
static const char *finding(const cJSON *job)
{
    const cJSON *stages = cli_text_member(job, "stages");

    return cli_text_of(cJSON_GetArrayItem(stages, cJSON_GetArraySize(stages) - 1),
                       "detail");
}

static char *ending(const cJSON *job, bool done)
{
    const cJSON *checkpoint = cli_text_member(job, "checkpoint");
    const cJSON *error = cli_text_member(job, "error");
    const char *id = cli_text_of(job, "job_id"), *detail = cli_text_of(error, "detail");
    char height[CLI_TEXT_SHORT];

    if (done && strcmp(cli_text_of(job, "stage"), "decided") == 0)
        return xasprintf("%s: dry run: %s", id, finding(job));
    if (done && checkpoint)
        return xasprintf("%s succeeded: checkpoint %s %s", id,
                         cli_text_count(checkpoint, "height", height),
                         cli_text_of(checkpoint, "block_hash"));
    if (done && cli_text_member(job, "result"))
        return xasprintf("%s succeeded: %s %s", id, cli_text_of(job, "kind"),
                         cli_text_of(cli_text_member(job, "result"), "id"));
    if (error)
        return xasprintf("cairn: %s failed in %s: %s: %s", id,
                         cli_text_of(error, "stage"), cli_text_of(error, "reason"),
                         detail);
    return xasprintf("%s%s %s", done ? "" : "cairn: ", id, cli_text_of(job, "state"));
}

static enum cli_exit conclude(const struct cli *c, const struct cli_answer *job)
{
    const cJSON *error = cli_text_member(job->result, "error");
    bool done = strcmp(cli_text_of(job->result, "state"), "succeeded") == 0;
    AUTOFREE char *text = ending(job->result, done);

    if (!cli_json(c, job) || !done)
        cli_text_line(done ? stdout : stderr, "", text);
    if (error && !done)
        cli_text_line(stderr, "  hint: ", cli_text_of(error, "hint"));
    return done ? CLI_DONE : CLI_JOB_FAILED;
}

enum cli_exit cli_watch_job(struct cli *c, const char *job_id)
{
    struct watch w = {.terminal = isatty(STDOUT_FILENO) == 1 && !cli_is_json(c)};

    for (;;) {
        CLI_ANSWER job = {0};
        enum cli_exit rc = step(c, &w, job_id, &job);

        if (rc != CLI_DONE) {
            (void)fputs(w.drawn ? "\n" : "", stdout);
            return rc;
        }
        if (has_ended(job.result)) {
            clear(&w);
            return conclude(c, &job);
        }
    }
}
