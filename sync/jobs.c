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
#include "sync/core.h"
#include "sync/intake.h"

static const char *text_of(const cJSON *o, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

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

static void remove_incoming(struct engine *e, int64_t id)
{
    static const char *const files[] = {"payload.json", "payload.part", "payload.etag"};
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
        remove_incoming(e, j->id);
        gen_discard(e, &e->building);
    }
    control_job_fini(&j->row);
    cJSON_Delete(j->request);
    free(j->head);
    free(j->tail);
    free(j->etag);
    memset(j, 0, sizeof(*j));
}

void jobs_fail(struct engine *e, const struct err *why)
{
    struct job *j = &e->job;

    log_warn("job failed", KV_U("job", j->id), KV_S("stage", job_state_name(j->state)),
             KV_S("reason", reason_code(why->reason)), KV_S("detail", why->msg),
             KV_S("hint", reason_hint(why->reason)));
    engine_new_epoch(e);
    free(j->row.error);
    jobs_error_json(why, job_state_name(j->state), &j->row.error);
    bootstrap_plan_retry(e, why);
    jobs_event(e, JOB_EV_FAIL, why->msg);
}

/* --- starting --- */

static const char *source_of(const struct engine *e, const struct engine_request *req)
{
    if (req->full)
        return "genesis";
    if (req->payload)
        return "inline";
    if (req->path)
        return req->path;
    return req->url ? req->url : e->cfg->checkpoint_url;
}

static cJSON *request_json(const struct engine *e, const struct engine_request *req)
{
    cJSON *o = cJSON_CreateObject();
    const char *kind = req->full      ? "genesis"
                       : req->payload ? "inline"
                       : req->path    ? "path"
                                      : "url";

    cJSON_AddStringToObject(o, "kind", kind);
    cJSON_AddStringToObject(o, "source", source_of(e, req));
    if (req->has_height)
        cJSON_AddNumberToObject(o, "height", (double)req->height);
    if (req->block_hash)
        cJSON_AddStringToObject(o, "block_hash", req->block_hash);
    if (req->reason)
        cJSON_AddStringToObject(o, "reason", req->reason);
    cJSON_AddBoolToObject(o, "dry_run", req->dry_run);
    cJSON_AddBoolToObject(o, "forced", req->op == ENGINE_SYNC_REBOOTSTRAP);
    return o;
}

/* Fills the job from its row; the row's texts are taken over. */
static void adopt(struct engine *e, struct control_job *row)
{
    struct job *j = &e->job;
    const char *source;

    memset(j, 0, sizeof(*j));
    j->active = true;
    j->id = row->id;
    j->row = *row;
    *row = (struct control_job){0};
    j->state = (enum job_state)j->row.state;
    j->stage_started_ms = j->row.updated_ms;
    j->request = cJSON_Parse(j->row.request);
    j->forced = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j->request, "forced"));
    j->dry_run = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(j->request, "dry_run"));
    source = text_of(j->request, "source");
    (void)snprintf(j->source, sizeof(j->source), "%s", source ? source : "");
    j->kind = intake_kind(text_of(j->request, "kind"));
    (void)snprintf(j->payload_path, sizeof(j->payload_path),
                   "%.900s/incoming/%lld/payload.json", e->cfg->data_dir,
                   (long long)j->id);
}

static enum errc insert(struct engine *e, const struct engine_request *req,
                        struct err *err)
{
    cJSON *doc = request_json(e, req);
    struct control_job row = {.state = JOB_QUEUED,
                              .created_ms = clock_now_ms(),
                              .updated_ms = clock_now_ms()};
    char dir[PATH_TEXT];

    row.request = cJSON_PrintUnformatted(doc);
    cJSON_Delete(doc);
    row.kind =
        xstrdup(req->op == ENGINE_SYNC_REBOOTSTRAP ? "rebootstrap" : "bootstrap");
    row.idempotency_key = req->idempotency_key ? xstrdup(req->idempotency_key) : NULL;
    if (control_job_insert(e->control, &row, &row.id, err)) {
        control_job_fini(&row);
        return err->code;
    }
    (void)snprintf(dir, sizeof(dir), "%s/incoming/%lld", e->cfg->data_dir,
                   (long long)row.id);
    (void)mkdir(dir, 0700); /* a failure shows when the first file is written */
    adopt(e, &row);
    return ERR_OK;
}

static cJSON *id_json(int64_t id)
{
    cJSON *o = cJSON_CreateObject();
    char text[32];

    (void)snprintf(text, sizeof(text), "job-%lld", (long long)id);
    cJSON_AddStringToObject(o, "job_id", text);
    return o;
}

static enum errc check_request(const struct engine *e, const struct engine_request *req,
                               struct err *err)
{
    int sources = (req->url != NULL) + (req->path != NULL) + (req->payload != NULL) +
                  (req->full ? 1 : 0);

    if (sources > 1)
        return err_set(err, ERR_INVALID, "give one of url, path, payload, mode full");
    if (sources == 0 && e->cfg->checkpoint_url[0] == '\0')
        return err_fail(err, REASON_NO_CANDIDATE,
                        "no source given and none configured");
    if (req->url && url_check(req->url, err))
        return err_wrap(err, "url");
    if (req->path)
        return intake_check_path(e, req->path, err);
    return ERR_OK;
}

enum errc jobs_start(struct engine *e, const struct engine_request *req, cJSON **result,
                     struct err *err)
{
    struct control_job old = {0};
    bool found = false;

    if (req->idempotency_key &&
        control_job_find_key(e->control, req->idempotency_key, &found, &old, err))
        return err->code;
    if (found) {
        *result = id_json(old.id);
        control_job_fini(&old);
        return ERR_OK;
    }
    if (e->halted)
        return err_set(err, ERR_CONFLICT, "the node is halted: %.120s", e->waiting_for);
    if (e->job.active)
        return err_set(err, ERR_CONFLICT, "job-%lld is under way",
                       (long long)e->job.id);
    if (check_request(e, req, err))
        return err->code;
    engine_new_epoch(e); /* following rests while a job runs */
    if (insert(e, req, err))
        return err->code;
    if (req->payload && intake_write(e, req->payload, err)) {
        struct err why = *err;

        jobs_fail(e, &why);
        return err->code;
    }
    e->retry_at_mono_ms = 0;
    metrics_add(METRIC_JOBS_STARTED, 1);
    log_info("job started", KV_U("job", e->job.id), KV_S("source", e->job.source));
    *result = id_json(e->job.id);
    jobs_event(e, JOB_EV_OK, NULL);
    return ERR_OK;
}

/* --- cancelling --- */

enum errc jobs_cancel(struct engine *e, int64_t id, cJSON **result, struct err *err)
{
    struct control_job row = {0};

    if (e->job.active && e->job.id == id) {
        engine_new_epoch(e);
        jobs_event(e, JOB_EV_CANCEL, "cancelled by sync.cancel");
        *result = id_json(id);
        return ERR_OK;
    }
    if (control_job_get(e->control, id, &row, err))
        return err->code;
    control_job_fini(&row);
    return err_set(err, ERR_CONFLICT, "job-%lld has ended", (long long)id);
}

/* --- after a restart --- */

static enum errc take_first(void *arg, const struct control_job *row, struct err *err)
{
    (void)err;
    *(int64_t *)arg = row->id;
    return ERR_OK;
}

static enum errc resume_building(struct engine *e, struct err *err)
{
    if (e->job.row.generation == 0 || job_state_is_mounted(e->job.state))
        return ERR_OK;
    return gen_open(e, e->job.row.generation, &e->building, err);
}

enum errc jobs_resume(struct engine *e, struct err *err)
{
    struct control_job row = {0};
    int64_t id = 0;

    if (control_job_each(e->control, 0, 1, true, take_first, &id, err))
        return err->code;
    if (id == 0) {
        bootstrap_at_start(e);
        return ERR_OK;
    }
    if (control_job_get(e->control, id, &row, err))
        return err->code;
    adopt(e, &row);
    if (resume_building(e, err))
        return err_wrap(err, "job %lld", (long long)id);
    log_info("job resumed", KV_U("job", id),
             KV_S("stage", job_state_name(e->job.state)));
    jobs_event(e, JOB_EV_RESTART, "the daemon was restarted");
    return ERR_OK;
}
