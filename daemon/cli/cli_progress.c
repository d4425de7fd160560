#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/cli/cli_progress.h"
#include "daemon/cli/cli_text.h"

enum {
    BAR = 24,
    STEP_TERMINAL_MS = 200,
    STEP_PLAIN_MS = 1000,
    LINE_EVERY_MS = 10000, /* where a line stays for good */
    TEXT_MAX = 1000,
};

struct watch {
    bool terminal;
    bool drawn;    /* a line without its end */
    size_t stages; /* of the job, shown */
    int64_t line_at_ms;
};

static double number(const cJSON *o, const char *key)
{
    return cJSON_GetNumberValue(cli_text_member(o, key)); /* NaN: none */
}

/* "12.3 MiB of 28.1 MiB", "160 of 201 headers", "160 headers" */
static void put_amount(struct buf *out, double done, double total, const char *unit)
{
    char text[CLI_TEXT_SHORT];
    bool bytes = strcmp(unit, "bytes") == 0;

    if (isnan(total) || bytes) {
        cli_text_units(done, unit, text);
        buf_printf(out, " %s", text);
    } else {
        buf_printf(out, " %.0f", done);
    }
    if (isnan(total))
        return;
    cli_text_units(total, unit, text);
    buf_printf(out, " of %s", text);
}

char *cli_progress_text(const cJSON *progress)
{
    CLEANUP_BUF struct buf out = BUF(TEXT_MAX);
    const cJSON *unit_text = cli_text_member(progress, "unit");
    const char *unit = cli_text_of(progress, "unit");
    double percent = number(progress, "percent"), total = number(progress, "total");
    double rate = number(progress, "rate"), eta = number(progress, "eta_seconds");
    char text[CLI_TEXT_SHORT];

    buf_puts(&out, cli_text_of(progress, "stage"));
    if (unit_text && !isnan(percent))
        buf_printf(&out, " %.0f %%,", percent);
    if (unit_text)
        put_amount(&out, number(progress, "done"), total, unit);
    if (unit_text && rate > 0) {
        cli_text_units(rate, unit, text);
        buf_printf(&out, ", %s/s", text);
    }
    if (unit_text && !isnan(eta)) {
        cli_text_seconds(eta, text);
        buf_printf(&out, ", %s left", text);
    }
    return out.data ? buf_take(&out) : xstrdup("-"); /* too long: of no cairnd */
}

static int terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

/* "[########----------------] " */
static void make_bar(double percent, char bar[BAR + 4])
{
    size_t full = percent >= 100 ? BAR
                  : percent > 0  ? (size_t)(percent / 100 * BAR)
                                 : 0;

    memset(bar, '-', BAR + 1);
    memset(bar + 1, '#', full);
    bar[0] = '[';
    memcpy(bar + BAR + 1, "] ", 3);
}

static void draw(struct watch *w, const cJSON *progress, const char *text)
{
    double percent = number(progress, "percent");
    char bar[BAR + 4] = "";
    AUTOFREE char *line = NULL;

    if (!isnan(percent))
        make_bar(percent, bar);
    line = xasprintf("%s%s", bar, text);
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

static void show(struct watch *w, const cJSON *status)
{
    const cJSON *progress = cli_text_member(status, "progress");
    AUTOFREE char *text = cli_progress_text(progress);
    int64_t now = clock_mono_ms();

    if (w->terminal) {
        AUTOFREE char *clean = cli_text_clean(text, strlen(text));

        draw(w, progress, clean);
    } else if (now >= w->line_at_ms) {
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
    CLI_ANSWER status = {0};
    cJSON *params = cJSON_CreateObject();
    enum cli_exit rc;

    cJSON_AddStringToObject(params, "job_id", job_id);
    cJSON_AddNumberToObject(params, "timeout_ms",
                            w->terminal ? STEP_TERMINAL_MS : STEP_PLAIN_MS);
    rc = cli_call(c, "sync.wait", params, job);
    if (rc != CLI_DONE || cli_is_json(c))
        return rc;
    show_stages(w, job->result);
    if (has_ended(job->result))
        return rc;
    rc = cli_call(c, "sync.status", NULL, &status);
    if (rc == CLI_DONE && strcmp(cli_text_of(status.result, "job_id"), job_id) == 0)
        show(w, status.result);
    return rc;
}

/* A dry run ends as failed with this reason when no rule failed. */
static bool is_passed_dry_run(const cJSON *job)
{
    const cJSON *error = cli_text_member(job, "error");

    return cJSON_IsTrue(cli_text_member(cli_text_member(job, "request"), "dry_run")) &&
           strcmp(cli_text_of(job, "state"), "failed") == 0 &&
           strcmp(cli_text_of(error, "reason"), "cancelled") == 0;
}

static char *ending(const cJSON *job, bool done)
{
    const cJSON *checkpoint = cli_text_member(job, "checkpoint");
    const cJSON *error = cli_text_member(job, "error");
    const char *id = cli_text_of(job, "job_id"), *detail = cli_text_of(error, "detail");
    char height[CLI_TEXT_SHORT];

    if (done && error)
        return xasprintf("%s: %s", id, detail);
    if (done && checkpoint)
        return xasprintf("%s succeeded: checkpoint %s %s", id,
                         cli_text_count(checkpoint, "height", height),
                         cli_text_of(checkpoint, "block_hash"));
    if (error)
        return xasprintf("cairn: %s failed in %s: %s: %s", id,
                         cli_text_of(error, "stage"), cli_text_of(error, "reason"),
                         detail);
    return xasprintf("%s%s %s", done ? "" : "cairn: ", id, cli_text_of(job, "state"));
}

static enum cli_exit conclude(const struct cli *c, const struct cli_answer *job)
{
    const cJSON *error = cli_text_member(job->result, "error");
    bool done = strcmp(cli_text_of(job->result, "state"), "succeeded") == 0 ||
                is_passed_dry_run(job->result);
    AUTOFREE char *text = ending(job->result, done);

    if (!cli_json(c, job) || !done)
        cli_text_line(done ? stdout : stderr, "", text);
    if (error && !done)
        cli_text_line(stderr, "  hint: ", cli_text_of(error, "hint"));
    return done ? CLI_DONE : CLI_JOB_FAILED;
}

enum cli_exit cli_progress_watch(struct cli *c, const char *job_id)
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
