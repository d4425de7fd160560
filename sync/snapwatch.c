#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/errand.h"
#include "sync/snappublish.h"
#include "sync/snapshot/snapshelf.h"

/* Snapshots that are signed by enough are published, if the operator wants it; and what
   is published is looked at from time to time, as others find it. */

enum { LOOK_AT_SHELF_MS = 5000, TRY_AGAIN_MS = 600000, AFTER_PUBLISHING_MS = 1000 };

struct looking {
    struct job_task base;
    const struct engine_publish *cfg;
    struct manifest *manifest;
    struct err err;
};

/* --- publishing by itself --- */

static bool is_signed(const struct engine *e, const struct manifest *m)
{
    const struct trust_policy *p = &e->policy.rules;

    return p->threshold > 0 &&
           manifest_signed(m, p->keys, p->key_count, NULL) >= p->threshold;
}

/* Published as it is now: this one, with these signatures. */
static bool is_done(const struct engine *e, const struct snapshelf_item *item)
{
    return strcmp(e->snapwatch.id, item->id) == 0 &&
           e->snapwatch.signatures ==
               item->manifest->signature_count + item->manifest->xai_count;
}

static void publish(struct engine *e, const char *id)
{
    const struct engine_request req = {
        .op = ENGINE_SNAPSHOT_PUBLISH, .snapshot = id, .actor = "schedule"};
    cJSON *result = NULL;
    struct err err;

    e->snapwatch.try_mono_ms = clock_mono_ms() + TRY_AGAIN_MS; /* should it fail */
    if (snappublish_start(e, &req, &result, &err) != ERR_OK)
        log_warn("a signed snapshot is not published, retrying later", KV_S("id", id),
                 KV_S("detail", err.msg));
    cJSON_Delete(result);
}

/* The highest that is signed by enough. */
static void look_at_shelf(struct engine *e)
{
    struct snapshelf shelf;
    struct err err;

    if (snapshelf_read(e->cfg->data_dir, &shelf, &err) != ERR_OK) {
        log_warn("snapshots cannot be read, ignoring", KV_S("detail", err.msg));
        return;
    }
    for (size_t i = 0; i < shelf.count; i++) {
        const struct snapshelf_item *item = &shelf.items[i];

        if (item->withdrawn || !is_signed(e, item->manifest))
            continue;
        if (!is_done(e, item))
            publish(e, item->id);
        break;
    }
    snapshelf_fini(&shelf);
}

static void publish_due(struct engine *e, int64_t now)
{
    if (!e->cfg->publish.automatic || e->halted || now < e->snapwatch.shelf_mono_ms ||
        now < e->snapwatch.try_mono_ms || errands_running(e, SNAPPUBLISH_KIND))
        return;
    e->snapwatch.shelf_mono_ms = now + LOOK_AT_SHELF_MS;
    look_at_shelf(e);
}

void snapwatch_published(struct engine *e, const struct manifest *m)
{
    manifest_id(m, e->snapwatch.id);
    e->snapwatch.signatures = m->signature_count + m->xai_count;
    e->snapwatch.try_mono_ms = 0;
    e->snapwatch.look_mono_ms = clock_mono_ms() + AFTER_PUBLISHING_MS;
}

/* --- looking at what is published --- */

static void run(struct task *task)
{
    struct looking *t = (void *)task;
    struct snappublish_access a = {.target = NULL};

    if (snappublish_open(t->cfg, &task->cancel, &a, &t->err) == ERR_OK)
        (void)publish_watch(&a.store, &t->manifest, &t->err);
    snappublish_close(&a);
}

static void free_looking(struct job_task *base)
{
    struct looking *t = (void *)base;

    manifest_free(t->manifest);
    free(t);
}

static void judge(struct engine *e, const struct manifest *m, struct err *err)
{
    const struct trust_policy *p = &e->policy.rules;
    size_t have = manifest_signed(m, p->keys, p->key_count, NULL);
    struct chaindb_header row;
    bool found = false;

    if (have < p->threshold)
        (void)err_fail(err, REASON_PUBLISHED_UNSIGNED,
                       "%zu of the trusted keys have signed it, and %u are wanted",
                       have, p->threshold);
    else if (e->live.state && e->status.has_tip && m->height <= e->status.tip_height &&
             m->height >= e->live.base_height &&
             chaindb_active_at(e->live.db, m->height, &found, &row, err) == ERR_OK &&
             found && memcmp(row.hash, m->block_hash, sizeof(row.hash)) != 0)
        (void)err_fail(err, REASON_PUBLISHED_OFF_CHAIN,
                       "another block is at height %llu now",
                       (unsigned long long)m->height);
}

static bool is_incident(enum reason reason)
{
    return reason == REASON_PUBLISHED_BROKEN || reason == REASON_PUBLISHED_UNSIGNED ||
           reason == REASON_PUBLISHED_OFF_CHAIN;
}

static void open_incident(struct engine *e, const struct looking *t)
{
    const struct engine_publish *p = t->cfg;
    cJSON *evidence = cJSON_CreateObject();
    char id[MANIFEST_ID] = "latest.json";

    if (t->manifest)
        manifest_id(t->manifest, id);
    cJSON_AddStringToObject(evidence, "endpoint", p->endpoint);
    cJSON_AddStringToObject(evidence, "bucket", p->bucket);
    cJSON_AddStringToObject(evidence, "prefix", p->prefix);
    cJSON_AddStringToObject(evidence, "snapshot", id);
    cJSON_AddStringToObject(evidence, "detail", t->err.msg);
    incidents_open(e, t->err.reason, id, evidence);
}

static void done(struct engine *e, struct job_task *base)
{
    struct looking *t = (void *)base;

    e->snapwatch.looking = NULL;
    if (!t->err.code)
        judge(e, t->manifest, &t->err);
    if (is_incident(t->err.reason))
        open_incident(e, t);
    else if (t->err.code && t->err.reason != REASON_NOT_FOUND)
        log_warn("what is published cannot be looked at, retrying later",
                 KV_S("reason", reason_code(t->err.reason)),
                 KV_S("detail", t->err.msg));
}

static void look_due(struct engine *e, int64_t now)
{
    const struct engine_publish *p = &e->cfg->publish;
    struct looking *t;

    if (p->watch_seconds == 0 || e->snapwatch.looking || e->halted ||
        now < e->snapwatch.look_mono_ms)
        return;
    e->snapwatch.look_mono_ms = now + (int64_t)p->watch_seconds * 1000;
    t = xcalloc(1, sizeof(*t));
    t->cfg = p;
    t->base.task.run = run;
    t->base.done = done;
    t->base.free = free_looking;
    t->base.any_epoch = true;
    e->snapwatch.looking = &t->base;
    e->tasks_out++;
    pool_submit(e->errand_pool, &t->base.task);
}

void snapwatch_pump(struct engine *e)
{
    int64_t now = clock_mono_ms();

    if (!snappublish_has_store(e) || e->stopping)
        return;
    publish_due(e, now);
    look_due(e, now);
}

void snapwatch_abort(struct engine *e)
{
    if (e->snapwatch.looking)
        atomic_store(&e->snapwatch.looking->task.cancel, true);
}
