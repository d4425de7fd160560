#include <string.h>

#include "rpc/methods.h"
#include "rpc/out.h"
#include "sync/job_fsm.h"

static enum errc add_stage(void *arg, const struct control_stage *s, struct err *err)
{
    cJSON *stages = arg, *stage = cJSON_CreateObject();

    (void)err;
    cJSON_AddItemToArray(stages, stage);
    out_text(stage, "name", job_state_name((enum job_state)s->state));
    out_text(stage, "state", s->outcome);
    out_time(stage, "started_at", s->started_ms);
    out_time(stage, "ended_at", s->ended_ms);
    out_text(stage, "detail", s->detail);
    return ERR_OK;
}

enum { SOURCES_MAX = 1 << 20 };

static void add_source(cJSON *list, const char *request)
{
    cJSON *doc = cJSON_Parse(request);
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(doc, "source");

    if (cJSON_IsString(url) && url->valuestring[0] != '\0') {
        cJSON *source = cJSON_CreateObject();

        out_text(source, "url", url->valuestring);
        cJSON_AddItemToArray(list, source);
    }
    cJSON_Delete(doc);
}

/* Where the job reads from: what is known of each source of its body, or the one of its
   request. */
static void add_sources(struct rpc_ctx *ctx, const struct control_job *j, cJSON *o)
{
    CLEANUP_BUF struct buf known = BUF(SOURCES_MAX);

    if (engine_job_sources(ctx->engine, j->id, &known) && !known.full) {
        cJSON_AddItemToObject(o, "sources", cJSON_Parse(known.data));
        return;
    }
    add_source(cJSON_AddArrayToObject(o, "sources"), j->request);
}

static void add_progress(const struct engine_status *s, int64_t id, cJSON *result)
{
    if (s->job_id == id) {
        methods_progress(result, &s->progress);
        return;
    }
    for (size_t i = 0; i < ENGINE_ERRANDS_MAX; i++) {
        if (s->errands[i].job_id == id) {
            methods_progress(result, &s->errands[i].progress);
            return;
        }
    }
    cJSON_AddNullToObject(result, "progress");
}

struct view {
    struct rpc_ctx *ctx;
    struct control *control;
    struct engine_status status; /* as it was before a job was read */
};

static enum errc add_job(const struct view *view, const struct control_job *j,
                         cJSON *result, struct err *err)
{
    enum job_state state = (enum job_state)j->state;
    bool done = state == JOB_DONE; /* candidate is the result then */
    cJSON *stages;

    out_job(result, "job_id", j->id);
    out_text(result, "kind", j->kind);
    out_text(result, "state", job_state_outcome(state));
    out_text(result, "stage", job_state_name(state));
    stages = cJSON_AddArrayToObject(result, "stages");
    if (control_stage_each(view->control, j->id, add_stage, stages, err) ||
        out_document(result, "checkpoint", done ? NULL : j->candidate, err) ||
        out_document(result, "result", done ? j->candidate : NULL, err) ||
        out_document(result, "error", j->error, err) ||
        out_document(result, "request", j->request, err))
        return err->code;
    add_sources(view->ctx, j, result);
    add_progress(&view->status, j->id, result);
    out_time(result, "created_at", j->created_ms);
    out_time(result, "ended_at", j->ended_ms);
    return ERR_OK;
}

enum errc methods_job(struct rpc_ctx *ctx, int64_t id, cJSON *result, struct err *err)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    __attribute__((cleanup(control_job_fini))) struct control_job job = {0};
    struct view view = {.ctx = ctx};

    engine_status(ctx->engine, &view.status);
    if (reads_control(ctx->reads, &reader, err) ||
        control_job_get(reader->control, id, &job, err))
        return err->code;
    view.control = reader->control;
    return add_job(&view, &job, result, err);
}

METHODS_HANDLER(jobs_get)
{
    return methods_job(ctx, p->job_id, result, err);
}

/* Filling one page.  The state is not a column of its own, so all are looked at. */
struct page {
    struct view view;
    const char *state; /* NULL: any */
    cJSON *jobs;
    size_t room;
    bool more;    /* one more would have fitted the filter */
    int64_t last; /* id last put on the page */
    int64_t seen; /* id last looked at */
};

static enum errc add_to_page(void *arg, const struct control_job *j, struct err *err)
{
    struct page *page = arg;
    cJSON *job;

    page->seen = j->id;
    if (page->more ||
        (page->state &&
         strcmp(page->state, job_state_outcome((enum job_state)j->state)) != 0))
        return ERR_OK;
    if (page->room == 0) {
        page->more = true;
        return ERR_OK;
    }
    job = cJSON_CreateObject();
    cJSON_AddItemToArray(page->jobs, job);
    page->room--;
    page->last = j->id;
    return add_job(&page->view, j, job, err);
}

METHODS_HANDLER(jobs_list)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct page page = {
        .view.ctx = ctx,
        .state = p->state >= 0 ? methods_states[p->state] : NULL,
        .room = p->limit.value,
    };
    int64_t before;

    engine_status(ctx->engine, &page.view.status);
    if (reads_control(ctx->reads, &reader, err))
        return err->code;
    page.view.control = reader->control;
    page.jobs = cJSON_AddArrayToObject(result, "jobs");
    page.seen = p->cursor;
    do {
        before = page.seen;
        if (control_job_each(reader->control, before, page.room + 1, false, add_to_page,
                             &page, err))
            return err->code;
    } while (!page.more && page.seen != before);
    out_cursor(result, "next", page.more ? page.last : 0);
    return ERR_OK;
}
