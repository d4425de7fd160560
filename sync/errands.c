#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/errand.h"

enum {
    NICE = 10, /* behind whoever validates blocks */
    RETRY_MS = 2000,
};

/* --- at the worker --- */

static void run(struct task *task)
{
    struct errand *t = (void *)task;

    /* On Linux of this thread alone; without it the errand is only less polite. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    (void)t->run(t, &t->err);
}

static void free_task(struct job_task *base)
{
    struct errand *t = (void *)base;

    control_job_fini(&t->row);
    cJSON_Delete(t->request);
    t->free(t);
}

/* --- the end --- */

static enum errc write_end(struct engine *e, struct control_job *row,
                           enum job_event event, const char *detail, struct err *err)
{
    struct control_stage s = {
        .job_id = row->id, .state = JOB_WORKING, .started_ms = row->created_ms};
    enum job_state next;
    AUTOFREE char *outcome = NULL;
    AUTOFREE char *text = detail ? xstrdup(detail) : NULL;

    if (!job_fsm_next((enum job_state)row->state, event, &next))
        abort(); /* the table and the engine disagree: our bug */
    row->state = (int)next;
    row->updated_ms = row->ended_ms = clock_now_ms();
    outcome = xstrdup(job_state_outcome(next));
    s.ended_ms = row->ended_ms;
    s.outcome = outcome;
    s.detail = text;
    if (control_stage_put(e->control, &s, err))
        return err->code;
    return control_job_update(e->control, row, err);
}

static enum errc finish(struct engine *e, struct errand *t, struct err *err)
{
    cJSON *result = NULL;
    enum errc rc = t->finish ? t->finish(e, t, &result, err) : ERR_OK;

    if (!rc) {
        free(t->row.candidate);
        t->row.candidate = result ? cJSON_PrintUnformatted(result) : NULL;
        rc = write_end(e, &t->row, JOB_EV_OK, NULL, err);
    }
    cJSON_Delete(result);
    return rc;
}

static enum errc write_success(struct engine *e, struct errand *t, struct err *err)
{
    if (control_begin(e->control, err))
        return err->code;
    if (finish(e, t, err) || control_commit(e->control, err)) {
        control_rollback(e->control);
        return err->code;
    }
    return ERR_OK;
}

/* err: how that went; its code is ERR_OK when it did. */
static void fail_row(struct engine *e, struct control_job *row, const struct err *why,
                     bool cancelled, struct err *err)
{
    *err = (struct err){0};
    if (control_begin(e->control, err))
        return;
    free(row->candidate);
    row->candidate = NULL;
    row->state = JOB_WORKING;
    free(row->error);
    jobs_error_json(why, job_state_name(JOB_WORKING), &row->error);
    if (write_end(e, row, cancelled ? JOB_EV_CANCEL : JOB_EV_FAIL, why->msg, err) ||
        control_commit(e->control, err))
        control_rollback(e->control);
}

static void write_failure(struct engine *e, struct errand *t, struct err *err)
{
    bool cancelled = t->cancelling && t->err.code == ERR_CANCELED;

    if (!cancelled && t->err.code == ERR_CANCELED)
        (void)err_fail(&t->err, REASON_SHUTTING_DOWN, "the daemon was stopped");
    fail_row(e, &t->row, &t->err, cancelled, err);
    if (err->code)
        return;
    if (!cancelled)
        metrics_add(METRIC_JOBS_FAILED, 1);
    log_warn("job failed", KV_U("job", t->job_id), KV_S("kind", t->kind),
             KV_S("reason", reason_code(t->err.reason)), KV_S("detail", t->err.msg));
}

static void answer_cancel(struct errand *t)
{
    struct call *call = TAKE(t->cancelling);
    struct err err;

    if (!call)
        return;
    if (t->err.code == ERR_CANCELED) {
        call_answer(call, jobs_id_json(t->job_id), NULL);
        return;
    }
    (void)err_set(&err, ERR_CONFLICT, "job-%lld has ended", (long long)t->job_id);
    call_answer(call, NULL, &err);
}

/* True once the end is written: on a full disk it waits for room, and is tried again.
 */
static bool conclude(struct engine *e, struct errand *t)
{
    struct err err = {0};

    if (!t->err.code)
        (void)write_success(e, t, &t->err);
    if (t->err.code)
        write_failure(e, t, &err);
    if (err.reason == REASON_DISK_FULL) {
        t->ended = true;
        t->retry_mono_ms = clock_mono_ms() + RETRY_MS;
        return false;
    }
    if (err.code)
        engine_halt(e, &err);
    else if (!t->err.code)
        log_info("job succeeded", KV_U("job", t->job_id), KV_S("kind", t->kind));
    answer_cancel(t);
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (e->errands[i] == t)
            e->errands[i] = NULL;
    return true;
}

void errands_pump(struct engine *e)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++) {
        struct errand *t = e->errands[i];

        if (t && t->ended && clock_mono_ms() >= t->retry_mono_ms && conclude(e, t))
            free_task(&t->base);
    }
}

static void done(struct engine *e, struct job_task *base)
{
    if (!conclude(e, (struct errand *)base))
        base->free = NULL; /* kept: errands_pump's */
}

/* --- the beginning --- */

bool errands_running(const struct engine *e, const char *kind)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (e->errands[i] && strcmp(e->errands[i]->kind, kind) == 0)
            return true;
    return false;
}

bool errands_out(const struct engine *e)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (e->errands[i] && !e->errands[i]->ended)
            return true;
    return false;
}

static enum errc write_start(struct engine *e, const struct engine_request *req,
                             const char *act, struct control_job *row, struct err *err)
{
    char running[] = "running";
    struct control_stage s = {
        .state = JOB_WORKING, .started_ms = row->created_ms, .outcome = running};

    if (control_begin(e->control, err))
        return err->code;
    if (control_job_insert(e->control, row, &row->id, err) == ERR_OK &&
        (s.job_id = row->id) > 0 && control_stage_put(e->control, &s, err) == ERR_OK &&
        acts_note(e, req, act, row->id, err) == ERR_OK &&
        control_commit(e->control, err) == ERR_OK)
        return ERR_OK;
    control_rollback(e->control);
    return err->code;
}

/* *old: the job with this key; 0: there is none. */
static enum errc find_key(struct engine *e, const char *key, int64_t *old,
                          struct err *err)
{
    struct control_job row = {0};
    bool found = false;

    *old = 0;
    if (key && control_job_find_key(e->control, key, &found, &row, err))
        return err->code;
    if (found)
        *old = row.id;
    control_job_fini(&row);
    return ERR_OK;
}

static enum errc submit(struct engine *e, const struct engine_request *req,
                        struct errand *t, struct errand **slot, struct err *err)
{
    int64_t now = clock_now_ms();

    t->row = (struct control_job){.state = JOB_WORKING,
                                  .kind = xstrdup(t->kind),
                                  .request = cJSON_PrintUnformatted(t->request),
                                  .created_ms = now,
                                  .updated_ms = now};
    if (req->idempotency_key)
        t->row.idempotency_key = xstrdup(req->idempotency_key);
    if (write_start(e, req, t->act, &t->row, err))
        return err->code;
    t->job_id = t->row.id;
    t->started_mono_ms = clock_mono_ms();
    t->base.task.run = run;
    t->base.done = done;
    t->base.free = free_task;
    t->base.any_epoch = true;
    *slot = t;
    metrics_add(METRIC_JOBS_STARTED, 1);
    log_info("job started", KV_U("job", t->job_id), KV_S("kind", t->kind));
    e->tasks_out++;
    pool_submit(e->errand_pool, &t->base.task);
    return ERR_OK;
}

/* NULL when none may begin now. */
static struct errand **find_slot(struct engine *e, const char *kind, struct err *err)
{
    if (e->stopping) {
        (void)err_fail(err, REASON_SHUTTING_DOWN, "the daemon is stopping");
        return NULL;
    }
    if (errands_running(e, kind)) {
        (void)err_set(err, ERR_BUSY, "another job of kind %s is under way", kind);
        return NULL;
    }
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (!e->errands[i])
            return &e->errands[i];
    (void)err_set(err, ERR_BUSY, "%d jobs are under way", ERRANDS_MAX);
    return NULL;
}

enum errc errands_start(struct engine *e, const struct engine_request *req,
                        struct errand *t, cJSON **result, struct err *err)
{
    int64_t id;
    enum errc rc = find_key(e, req->idempotency_key, &id, err);
    bool ours = rc == ERR_OK && id == 0;

    if (ours) {
        struct errand **slot = find_slot(e, t->kind, err);

        rc = slot ? submit(e, req, t, slot, err) : err->code;
    }
    if (!rc)
        *result = jobs_id_json(ours ? t->job_id : id);
    if (rc || !ours)
        free_task(&t->base);
    return rc;
}

/* --- while they run --- */

bool errands_cancel(struct engine *e, struct call *call)
{
    struct err err = {0};

    for (size_t i = 0; i < ERRANDS_MAX; i++) {
        struct errand *t = e->errands[i];

        if (!t || t->ended || t->job_id != call->req->job_id)
            continue;
        if (t->cancelling)
            (void)err_set(&err, ERR_BUSY, "job-%lld is being cancelled",
                          (long long)t->job_id);
        else
            (void)acts_note(e, call->req, "sync.cancel", t->job_id, &err);
        if (err.code) {
            call_answer(call, NULL, &err);
        } else {
            t->cancelling = call;
            atomic_store(&t->base.task.cancel, true);
        }
        return true;
    }
    return false;
}

void errands_note_turn(struct engine *e, int64_t ms)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (e->errands[i] && e->errands[i]->pause_ms < ms)
            e->errands[i]->pause_ms = ms;
}

int64_t errands_pause_ms(const struct errand *t)
{
    return t->pause_ms;
}

static void publish(const struct errand *t, struct engine_errand *out)
{
    struct engine_progress *p = &out->progress;
    int64_t ms = clock_mono_ms() - t->started_mono_ms;

    out->job_id = t->job_id;
    (void)snprintf(p->stage, sizeof(p->stage), "%s", job_state_name(JOB_WORKING));
    (void)snprintf(p->unit, sizeof(p->unit), "%s", t->unit ? t->unit : "");
    p->done = atomic_load_explicit(&t->done, memory_order_relaxed);
    p->total = atomic_load_explicit(&t->total, memory_order_relaxed);
    p->eta_seconds = -1;
    if (ms >= 250)
        p->rate = (double)p->done * 1000.0 / (double)ms;
    if (p->rate > 0.0 && p->total >= p->done && p->total > 0)
        p->eta_seconds = (int64_t)((double)(p->total - p->done) / p->rate + 0.5);
}

void errands_publish(const struct engine *e, struct engine_status *s)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (e->errands[i])
            publish(e->errands[i], &s->errands[i]);
}

/* --- the daemon's ends --- */

void errands_answer(struct engine *e)
{
    struct err err;

    (void)err_fail(&err, REASON_SHUTTING_DOWN, "the daemon is stopping");
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (e->errands[i] && e->errands[i]->cancelling)
            call_answer(TAKE(e->errands[i]->cancelling), NULL, &err);
}

void errands_abort(struct engine *e)
{
    errands_answer(e);
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (e->errands[i])
            atomic_store(&e->errands[i]->base.task.cancel, true);
}

void errands_fini(struct engine *e)
{
    for (size_t i = 0; i < ERRANDS_MAX; i++)
        if (e->errands[i])
            free_task(&TAKE(e->errands[i])->base);
}

struct old {
    int64_t ids[ERRANDS_MAX];
    size_t n;
};

static enum errc note_old(void *arg, const struct control_job *row, struct err *err)
{
    struct old *old = arg;

    (void)err;
    if (row->state == JOB_WORKING && old->n < ERRANDS_MAX)
        old->ids[old->n++] = row->id;
    return ERR_OK;
}

enum errc errands_fail_old(struct engine *e, struct err *err)
{
    struct old old = {.n = 0};
    struct err why;

    (void)err_fail(&why, REASON_SHUTTING_DOWN,
                   "the daemon ended while it was at work; start it again");
    if (control_job_each(e->control, 0, ERRANDS_MAX + 1, true, note_old, &old, err))
        return err->code;
    for (size_t i = 0; i < old.n; i++) {
        struct control_job row = {0};

        if (control_job_get(e->control, old.ids[i], &row, err))
            return err->code;
        fail_row(e, &row, &why, false, err);
        control_job_fini(&row);
        if (err->code)
            return err->code;
        log_warn("job failed", KV_U("job", old.ids[i]), KV_S("detail", why.msg));
    }
    return ERR_OK;
}
