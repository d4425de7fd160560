#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/body.h"
#include "sync/chunks.h"
#include "sync/diagnose.h"

/* Tests kill the daemon at the door of each stage. */
static void test_hook(enum job_state state)
{
    const char *hooks = getenv("CAIRN_TEST_HOOKS"); /* NOLINT(concurrency-mt-unsafe) */
    const char *at = getenv("CAIRN_TEST_STOP_AT");  /* NOLINT(concurrency-mt-unsafe) */

    if (hooks && at && strcmp(hooks, "1") == 0 &&
        strcmp(at, job_state_name(state)) == 0)
        (void)kill(getpid(), SIGKILL);
}

void jobs_error_json(const struct err *err, const char *stage, char **out)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "reason", reason_code(err->reason));
    cJSON_AddStringToObject(o, "stage", stage);
    cJSON_AddStringToObject(o, "detail", err->msg);
    cJSON_AddBoolToObject(o, "retryable",
                          err->code == ERR_NET || err->code == ERR_BUSY);
    cJSON_AddStringToObject(o, "hint", reason_hint(err->reason));
    *out = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
}

/* --- the one place that changes a job's state --- */

static enum errc write_state(struct engine *e, enum job_state next, const char *detail,
                             struct err *err)
{
    struct job *j = &e->job;
    int64_t now = clock_now_ms();
    AUTOFREE char *text = detail ? xstrdup(detail) : NULL;
    AUTOFREE char *outcome = NULL;
    struct control_stage s = {.job_id = j->id, .state = (int)j->state, .detail = text};

    s.started_ms = j->stage_started_ms;
    s.ended_ms = now;
    outcome = xstrdup(next == JOB_FAILED || next == JOB_CANCELLED ? job_state_name(next)
                                                                  : "succeeded");
    s.outcome = outcome;
    if (control_stage_put(e->control, &s, err))
        return err->code;
    if (!job_state_is_terminal(next)) {
        char running[] = "running";

        s = (struct control_stage){
            .job_id = j->id, .state = (int)next, .started_ms = now, .outcome = running};
        if (control_stage_put(e->control, &s, err))
            return err->code;
    }
    j->row.state = (int)next;
    j->row.updated_ms = now;
    j->row.ended_ms = job_state_is_terminal(next) ? now : 0;
    j->row.generation = e->building.id ? e->building.id : j->row.generation;
    return control_job_update(e->control, &j->row, err);
}

enum errc jobs_move(struct engine *e, enum job_event event, const char *detail,
                    struct err *err)
{
    enum job_state next;

    if (!job_fsm_next(e->job.state, event, &next))
        abort(); /* the table and the engine disagree: our bug */
    if (write_state(e, next, detail, err))
        return err->code;
    return ERR_OK;
}

/* After the transaction that jobs_move was part of: what everybody sees. */
void jobs_moved(struct engine *e)
{
    struct job *j = &e->job;
    enum job_state from = j->state;

    j->state = (enum job_state)j->row.state;
    j->stage_started_ms = j->row.updated_ms;
    e->unit = NULL;
    e->done = e->total = 0;
    log_info("job state", KV_U("job", j->id), KV_S("from", job_state_name(from)),
             KV_S("to", job_state_name(j->state)));
    test_hook(j->state);
    if (j->state == JOB_FAILED)
        metrics_add(METRIC_JOBS_FAILED, 1);
    if (j->state == JOB_HEADERS)
        diagnose_job_succeeded(e);
    if (job_state_is_terminal(j->state))
        jobs_close(e);
    else
        bootstrap_enter(e);
}

void jobs_event(struct engine *e, enum job_event event, const char *detail)
{
    struct err err = {0};

    if (control_begin(e->control, &err) == ERR_OK) {
        if (jobs_move(e, event, detail, &err) == ERR_OK)
            (void)control_commit(e->control, &err);
        if (err.code)
            control_rollback(e->control);
    }
    if (err.code) {
        engine_halt(e, &err);
        return;
    }
    jobs_moved(e);
}

/* --- ends --- */

void jobs_remove_incoming(struct engine *e, int64_t id)
{
    static const char *const files[] = {
        "payload.json", "payload.part",  "payload.etag",  "reshape.coins",
        "reshape.idx",  "manifest.json", "manifest.at",   "chunks.bin",
        "chunks.part",  "index.parts",   "payload.chunks"};
    char path[PATH_TEXT];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/incoming/%lld/%s", e->cfg->data_dir,
                       (long long)id, files[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof(path), "%s/incoming/%lld", e->cfg->data_dir,
                   (long long)id);
    (void)rmdir(path);
}

void jobs_close(struct engine *e)
{
    struct job *j = &e->job;

    if (j->active && job_state_is_terminal(j->state)) {
        body_discard(j->body);
        jobs_remove_incoming(e, j->id);
        (void)gen_discard(e, &e->building); /* it warned */
    }
    control_job_fini(&j->row);
    cJSON_Delete(j->request);
    free(j->head);
    free(j->tail);
    statements_fini(&j->heard);
    body_free(j->body);
    chunks_free(j->chunks);
    memset(j, 0, sizeof(*j));
}

void jobs_fail(struct engine *e, const struct err *why)
{
    struct job *j = &e->job;

    log_warn("job failed", KV_U("job", j->id), KV_S("stage", job_state_name(j->state)),
             KV_S("reason", reason_code(why->reason)), KV_S("detail", why->msg),
             KV_S("hint", reason_hint(why->reason)));
    engine_new_epoch(e);
    if (why->reason == REASON_DISK_FULL)
        jobs_remove_incoming(e, j->id); /* room to write this down */
    free(j->row.error);
    jobs_error_json(why, job_state_name(j->state), &j->row.error);
    bootstrap_plan_retry(e, why);
    diagnose_job_failed(e, why);
    jobs_event(e, JOB_EV_FAIL, why->msg);
}
