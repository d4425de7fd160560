#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/errand.h"
#include "sync/finds.h"
#include "sync/intake.h"
#include "sync/snapshot/snapshelf.h"

static const char *text_of(const cJSON *o, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static const char *source_of(const struct engine *e, const struct engine_request *req)
{
    if (req->full)
        return "genesis";
    if (req->payload)
        return "inline";
    if (req->path)
        return req->path;
    if (req->url)
        return req->url;
    return e->cfg->checkpoint_url[0] != '\0' ? e->cfg->checkpoint_url : "peers";
}

static const char *kind_of(const struct engine *e, const struct engine_request *req)
{
    if (req->full)
        return "genesis";
    if (req->payload)
        return "inline";
    if (req->path)
        return "path";
    return req->url || e->cfg->checkpoint_url[0] != '\0' ? "url" : "peers";
}

static cJSON *request_json(const struct engine *e, const struct engine_request *req)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "kind", kind_of(e, req));
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
    char dir[PATH_TEXT];

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
    /* Of a resumed job too: it may have died here.  A failure shows when the first file
       is written. */
    (void)snprintf(dir, sizeof(dir), "%.900s/incoming/%lld", e->cfg->data_dir,
                   (long long)j->id);
    (void)mkdir(dir, 0700);
}

static enum errc write_job(struct engine *e, const struct engine_request *req,
                           struct control_job *row, struct err *err)
{
    const char *act =
        req->op == ENGINE_SYNC_REBOOTSTRAP ? "sync.rebootstrap" : "sync.start";

    if (control_begin(e->control, err))
        return err->code;
    if (control_job_insert(e->control, row, &row->id, err) ||
        acts_note(e, req, act, row->id, err) || control_commit(e->control, err)) {
        control_rollback(e->control);
        return err->code;
    }
    return ERR_OK;
}

static enum errc insert(struct engine *e, const struct engine_request *req,
                        struct err *err)
{
    cJSON *doc = request_json(e, req);
    struct control_job row = {.state = JOB_QUEUED,
                              .created_ms = clock_now_ms(),
                              .updated_ms = clock_now_ms()};

    row.request = cJSON_PrintUnformatted(doc);
    cJSON_Delete(doc);
    row.kind =
        xstrdup(req->op == ENGINE_SYNC_REBOOTSTRAP ? "rebootstrap" : "bootstrap");
    row.idempotency_key = req->idempotency_key ? xstrdup(req->idempotency_key) : NULL;
    if (write_job(e, req, &row, err)) {
        control_job_fini(&row);
        return err->code;
    }
    adopt(e, &row);
    return ERR_OK;
}

cJSON *jobs_id_json(int64_t id)
{
    cJSON *o = cJSON_CreateObject();
    char text[32];

    (void)snprintf(text, sizeof(text), "job-%lld", (long long)id);
    cJSON_AddStringToObject(o, "job_id", text);
    return o;
}

static enum errc check_request(struct engine *e, const struct engine_request *req,
                               struct err *err)
{
    int sources = (req->url != NULL) + (req->path != NULL) + (req->payload != NULL) +
                  (req->full ? 1 : 0);

    if (sources > 1)
        return err_set(err, ERR_INVALID, "give one of url, path, payload, mode full");
    if (sources == 0 && e->cfg->checkpoint_url[0] == '\0' && !finds_possible(e))
        return err_fail(err, REASON_NO_CANDIDATE,
                        "no source given, none configured, and no peer can offer one");
    if (req->full && e->live.state && req->op != ENGINE_SYNC_REBOOTSTRAP)
        return err_set(err, ERR_CONFLICT,
                       "there is a state; sync.rebootstrap begins anew from genesis");
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
        *result = jobs_id_json(old.id);
        control_job_fini(&old);
        return ERR_OK;
    }
    if (e->halted && req->op != ENGINE_SYNC_REBOOTSTRAP)
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
    if (!req->dry_run)
        e->retry_at_mono_ms = 0;
    metrics_add(METRIC_JOBS_STARTED, 1);
    log_info("job started", KV_U("job", e->job.id), KV_S("source", e->job.source));
    *result = jobs_id_json(e->job.id);
    jobs_event(e, JOB_EV_OK, NULL);
    return ERR_OK;
}

/* --- cancelling --- */

/* The act and what it did, or neither. */
static enum errc write_cancel(struct engine *e, const struct engine_request *req,
                              struct err *err)
{
    if (control_begin(e->control, err))
        return err->code;
    if (acts_note(e, req, "sync.cancel", e->job.id, err) ||
        jobs_move(e, JOB_EV_CANCEL, "cancelled by sync.cancel", err) ||
        control_commit(e->control, err)) {
        control_rollback(e->control);
        return err->code;
    }
    return ERR_OK;
}

enum errc jobs_cancel(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err)
{
    struct control_job row = {0};
    int64_t id = req->job_id;

    if (e->job.active && e->job.id == id) {
        if (write_cancel(e, req, err)) {
            engine_halt(e, err);
            return err->code;
        }
        engine_new_epoch(e);
        jobs_moved(e);
        *result = jobs_id_json(id);
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

/* Downloads of jobs that ended in the moment of a crash. */
static void sweep_incoming(struct engine *e)
{
    char path[PATH_TEXT];
    struct dirent *ent;
    DIR *d;

    (void)snprintf(path, sizeof(path), "%.900s/incoming", e->cfg->data_dir);
    d = opendir(path);
    if (!d)
        return;
    while ((ent = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe): own stream */
        int64_t id = strtoll(ent->d_name, NULL, 10);

        if (id > 0 && !(e->job.active && e->job.id == id))
            jobs_remove_incoming(e, id);
    }
    (void)closedir(d);
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

    if (snapshelf_sweep(e->cfg->data_dir, err))
        log_warn("snapshots: leftovers stay, ignoring", KV_S("detail", err->msg));
    if (errands_fail_old(e, err) ||
        control_job_each(e->control, 0, 1, true, take_first, &id, err))
        return err->code;
    if (id == 0) {
        sweep_incoming(e);
        if (gen_sweep(e, err))
            return err->code;
        bootstrap_at_start(e);
        return ERR_OK;
    }
    if (control_job_get(e->control, id, &row, err))
        return err->code;
    adopt(e, &row);
    sweep_incoming(e);
    if (resume_building(e, err) || gen_sweep(e, err))
        return err_wrap(err, "job %lld", (long long)id);
    log_info("job resumed", KV_U("job", id),
             KV_S("stage", job_state_name(e->job.state)));
    jobs_event(e, JOB_EV_RESTART, "the daemon was restarted");
    return ERR_OK;
}
