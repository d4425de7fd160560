#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/cli/cli_progress.h"
#include "daemon/cli/cli_text.h"

enum {
    BAR = 24,
    STEP_TERMINAL_MS = 200,
    STEP_PLAIN_MS = 1000,
    LINE_EVERY_MS = 10000, /* where a line stays for good */
};

struct watch {
    bool terminal;
    bool drawn; /* a line without its end */
    char stage[24];
    int64_t stage_from_ms, line_at_ms;
};

static double number(const cJSON *o, const char *key)
{
    return cJSON_GetNumberValue(cli_text_member(o, key)); /* NaN: none */
}

void cli_progress_text(const cJSON *progress, char out[CLI_PROGRESS_TEXT])
{
    const cJSON *unit_text = cli_text_member(progress, "unit");
    const char *unit = unit_text ? cli_text_of(progress, "unit") : "";
    double percent = number(progress, "percent"), done = number(progress, "done");
    double total = number(progress, "total"), rate = number(progress, "rate");
    double eta = number(progress, "eta_seconds");
    char a[CLI_TEXT_SHORT], b[CLI_TEXT_SHORT];
    size_t n = (size_t)snprintf(out, CLI_PROGRESS_TEXT, "%.20s",
                                cli_text_of(progress, "stage"));

    if (!unit_text)
        return;
    if (!isnan(percent))
        n += (size_t)snprintf(out + n, CLI_PROGRESS_TEXT - n, " %.0f %%,", percent);
    cli_text_units(done, unit, a);
    n += (size_t)snprintf(out + n, CLI_PROGRESS_TEXT - n, " %s", a);
    if (!isnan(total)) {
        cli_text_units(total, unit, b);
        n += (size_t)snprintf(out + n, CLI_PROGRESS_TEXT - n, " of %s", b);
    }
    if (rate > 0) {
        cli_text_units(rate, unit, a);
        n += (size_t)snprintf(out + n, CLI_PROGRESS_TEXT - n, ", %s/s", a);
    }
    if (!isnan(eta)) {
        cli_text_seconds(eta, b);
        (void)snprintf(out + n, CLI_PROGRESS_TEXT - n, ", %s left", b);
    }
}

static size_t terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

/* "[########----------------] " */
static size_t put_bar(double percent, char *out, size_t size)
{
    char bar[BAR + 1];
    size_t full = percent >= 100 ? BAR
                  : percent > 0  ? (size_t)(percent / 100 * BAR)
                                 : 0;

    memset(bar, '-', BAR);
    memset(bar, '#', full);
    bar[BAR] = '\0';
    return (size_t)snprintf(out, size, "[%s] ", bar);
}

static void draw(struct watch *w, const cJSON *progress, const char *text)
{
    char line[CLI_PROGRESS_TEXT + BAR + 4];
    double percent = number(progress, "percent");
    size_t n = 0;

    if (!isnan(percent))
        n = put_bar(percent, line, sizeof(line));
    (void)snprintf(line + n, sizeof(line) - n, "%s", text);
    (void)printf("\r\033[K%.*s", (int)terminal_columns() - 1, line);
    (void)fflush(stdout);
    w->drawn = true;
}

static void end_stage(struct watch *w)
{
    char took[CLI_TEXT_SHORT];

    if (w->stage[0] == '\0' || !w->terminal)
        return;
    cli_text_seconds((double)(clock_mono_ms() - w->stage_from_ms) / 1000, took);
    (void)printf("%s%-12s %s\n", w->drawn ? "\r\033[K" : "", w->stage, took);
    w->drawn = false;
}

static void show(struct watch *w, const cJSON *status)
{
    const cJSON *progress = cli_text_member(status, "progress");
    char text[CLI_PROGRESS_TEXT];
    const char *stage = cli_text_of(progress, "stage");
    int64_t now = clock_mono_ms();
    bool fresh = strcmp(stage, w->stage) != 0;
    AUTOFREE char *clean = NULL;

    if (fresh) {
        end_stage(w);
        (void)snprintf(w->stage, sizeof(w->stage), "%s", stage);
        w->stage_from_ms = now;
    }
    cli_progress_text(progress, text);
    clean = cli_text_clean(text, strlen(text));
    if (w->terminal) {
        draw(w, progress, clean);
    } else if (fresh || now >= w->line_at_ms) {
        (void)puts(clean);
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
    if (rc != CLI_DONE || has_ended(job->result) || cli_is_json(c))
        return rc;
    rc = cli_call(c, "sync.status", NULL, &status);
    if (rc == CLI_DONE && strcmp(cli_text_of(status.result, "job_id"), job_id) == 0)
        show(w, status.result);
    return rc;
}

static enum cli_exit conclude(struct cli *c, const struct cli_answer *job)
{
    const char *state = cli_text_of(job->result, "state");
    const cJSON *checkpoint = cli_text_member(job->result, "checkpoint");
    const cJSON *error = cli_text_member(job->result, "error");
    const cJSON *request = cli_text_member(job->result, "request");
    bool dry = cJSON_IsTrue(cli_text_member(request, "dry_run"));
    bool done = strcmp(state, "succeeded") == 0;
    AUTOFREE char *text = NULL;
    AUTOFREE char *clean = NULL;
    char height[CLI_TEXT_SHORT];

    (void)cli_json(c, job);
    if (done && cli_is_json(c))
        return CLI_DONE;
    if (done && checkpoint)
        text = xasprintf("%s succeeded: checkpoint %s %s%s",
                         cli_text_of(job->result, "job_id"),
                         cli_text_count(checkpoint, "height", height),
                         cli_text_of(checkpoint, "block_hash"),
                         dry ? " breaks no rule that needs no body" : "");
    else if (error)
        text =
            xasprintf("cairn: %s failed in %s: %s: %s\n",
                      cli_text_of(job->result, "job_id"), cli_text_of(error, "stage"),
                      cli_text_of(error, "reason"), cli_text_of(error, "detail"));
    else
        text =
            xasprintf("%s%s %s",
                      done ? "" : "cairn: ", cli_text_of(job->result, "job_id"), state);
    clean = cli_text_clean(text, strcspn(text, "\n"));
    (void)fprintf(done ? stdout : stderr, "%s\n", clean);
    if (error) {
        const char *hint = cli_text_of(error, "hint");
        AUTOFREE char *clean_hint = cli_text_clean(hint, strlen(hint));

        (void)fprintf(stderr, "  hint: %s\n", clean_hint);
    }
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
            end_stage(&w);
            return conclude(c, &job);
        }
    }
}
