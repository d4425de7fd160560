#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/ask.h"

/* The peers we tell others of: a copy for the P2P thread, made anew now and then. */
enum { TOLD_EVERY_MS = 10000, TOLD_MAX = 64 };

static bool is_worth_telling(const struct peer *p, int64_t mono, int64_t now)
{
    return ask_can(p, mono, now) && p->last_good_ms > 0;
}

void told_update(struct engine *e)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    cJSON *list;
    char *text, *old;

    if (mono < e->told_at_mono_ms)
        return;
    e->told_at_mono_ms = mono + TOLD_EVERY_MS;
    list = cJSON_CreateArray();
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (is_worth_telling(p, mono, now) && cJSON_GetArraySize(list) < TOLD_MAX)
            cJSON_AddItemToArray(list, cJSON_CreateString(p->url));
    }
    text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    pthread_mutex_lock(&e->status_lock);
    old = e->peers_told;
    e->peers_told = text;
    pthread_mutex_unlock(&e->status_lock);
    free(old);
}

void engine_peers_told(struct engine *e, struct buf *out)
{
    pthread_mutex_lock(&e->status_lock);
    buf_puts(out, e->peers_told ? e->peers_told : "[]");
    pthread_mutex_unlock(&e->status_lock);
}
