#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/ask.h"
#include "sync/peer/adverts.h"

/* The peers we tell others of: a copy for the other threads, made anew now and then. */
enum {
    TOLD_EVERY_MS = 2000,
    TOLD_MAX = 64,
    LATELY_MS = 2 * 3600 * 1000, /* twice the longest follow.poll_seconds */
};

static bool answers(const struct peer *p, int64_t mono, int64_t now)
{
    return ask_can(p, mono, now) && p->last_good_ms > now - LATELY_MS;
}

void told_update(struct engine *e)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    struct engine_peers count = {0};
    cJSON *list;
    char *text, *old;

    if (mono < e->told_at_mono_ms)
        return;
    e->told_at_mono_ms = mono + TOLD_EVERY_MS;
    list = cJSON_CreateArray();
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (!answers(p, mono, now))
            continue;
        count.answering++;
        if (count.told == TOLD_MAX || !adverts_may_tell(p->url, p->ip))
            continue;
        count.told++;
        cJSON_AddItemToArray(list, cJSON_CreateString(p->url));
    }
    text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    pthread_mutex_lock(&e->status_lock);
    old = e->peers_told;
    e->peers_told = text;
    e->peers_count = count;
    pthread_mutex_unlock(&e->status_lock);
    free(old);
}

struct engine_peers engine_peers_told(struct engine *e, struct buf *out)
{
    struct engine_peers count;

    pthread_mutex_lock(&e->status_lock);
    buf_puts(out, e->peers_told ? e->peers_told : "[]");
    count = e->peers_count;
    pthread_mutex_unlock(&e->status_lock);
    return count;
}
