#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/body_impl.h"

/* Each source, as jobs.get shows it. */
enum { PUBLISH_MS = 500 };

static const char *state_of(const struct body *b, size_t i)
{
    const struct plan_source *s = &b->plan->sources[i];

    if (s->dropped)
        return "dropped";
    if (s->in_flight > 0 || b->phase == BODY_TABLE)
        return "active";
    return s->wait_until_ms > clock_mono_ms() ? "waiting" : "idle";
}

static void add_fault(cJSON *o, const struct plan_source *s)
{
    bool any = s->dropped || s->errors > 0;

    cJSON_AddNumberToObject(o, "errors", (double)s->errors);
    cJSON_AddBoolToObject(o, "blamed", s->blamed);
    cJSON_AddItemToObject(o, "reason",
                          any ? cJSON_CreateString(reason_code(s->reason))
                              : cJSON_CreateNull());
    cJSON_AddItemToObject(o, "detail",
                          any ? cJSON_CreateString(s->why) : cJSON_CreateNull());
}

cJSON *body_sources_json(const struct body *b)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; b->plan && i < b->plan->source_count; i++) {
        const struct body_source *s = &b->sources[i];
        cJSON *o = cJSON_CreateObject();

        cJSON_AddItemToArray(list, o);
        cJSON_AddStringToObject(o, "url", s->at);
        cJSON_AddStringToObject(o, "kind",
                                s->peer     ? "peer"
                                : s->is_dir ? "directory"
                                            : "url");
        cJSON_AddStringToObject(o, "state", state_of(b, i));
        cJSON_AddNumberToObject(o, "bytes", (double)s->bytes);
        cJSON_AddNumberToObject(o, "verified_bytes", (double)s->verified);
        cJSON_AddNumberToObject(o, "rate", plan_rate(b->plan, i));
        add_fault(o, &b->plan->sources[i]);
    }
    return list;
}

void body_publish(struct engine *e, bool ended)
{
    struct body *b = e->job.body;
    int64_t mono = clock_mono_ms();
    cJSON *list;
    char *text, *old;

    if (!ended && mono < b->published_mono_ms)
        return;
    b->published_mono_ms = mono + PUBLISH_MS;
    list = body_sources_json(b); /* none yet: an empty list */
    text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    pthread_mutex_lock(&e->status_lock);
    old = e->job_sources;
    e->job_sources = text;
    e->job_sources_id = e->job.id;
    pthread_mutex_unlock(&e->status_lock);
    free(old);
}

bool engine_job_sources(struct engine *e, int64_t job_id, struct buf *out)
{
    bool known;

    pthread_mutex_lock(&e->status_lock);
    known = e->job_sources && e->job_sources_id == job_id;
    if (known)
        buf_puts(out, e->job_sources);
    pthread_mutex_unlock(&e->status_lock);
    return known;
}
