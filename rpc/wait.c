#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/chan.h"
#include "base/clock.h"
#include "base/mem.h"
#include "rpc/wait.h"

enum {
    WAITS_MAX = 128, /* as many as the server has connections */
    /* A call that comes while the thread waits for the engine is looked at after this.
     */
    SLICE_MS = 100,
};

struct waits {
    struct engine *engine;
    struct reads *reads;
    struct chan *inbox;
    pthread_t thread;
    atomic_bool stopping;
    struct wait_item *items[WAITS_MAX];
    size_t count;
};

static bool is_done(struct waits *w, const struct wait_item *item)
{
    struct err err;
    bool ended;

    if (atomic_load(&w->stopping) || clock_mono_ms() >= item->until_mono_ms)
        return true;
    /* An error is for the call to find again and report. */
    return reads_job_ended(w->reads, item->job_id, &ended, &err) != ERR_OK || ended;
}

static void answer_done(struct waits *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->count; i++) {
        if (is_done(w, w->items[i]))
            w->items[i]->done(w->items[i]);
        else
            w->items[kept++] = w->items[i];
    }
    w->count = kept;
}

/* False once closed and nobody waits. */
static bool collect(struct waits *w)
{
    struct wait_item *item = NULL;

    if (w->count == 0) {
        item = chan_recv(w->inbox);
        if (!item)
            return false;
        w->items[w->count++] = item;
    }
    while (w->count < WAITS_MAX && (item = chan_recv_for(w->inbox, 0)))
        w->items[w->count++] = item;
    return true;
}

static int64_t next_slice(const struct waits *w)
{
    int64_t slice = SLICE_MS, now = clock_mono_ms();

    for (size_t i = 0; i < w->count; i++)
        if (w->items[i]->until_mono_ms - now < slice)
            slice = w->items[i]->until_mono_ms - now;
    return slice > 0 ? slice : 0;
}

static void *run(void *arg)
{
    struct waits *w = arg;
    struct engine_status status;

    while (collect(w)) {
        bool stopping = false;

        engine_status(w->engine, &status); /* before looking: no end is missed */
        answer_done(w);
        if (w->count == 0)
            continue;
        if (!engine_status_wait(w->engine, status.seq, next_slice(w), &stopping) &&
            stopping)
            atomic_store(&w->stopping, true);
    }
    return NULL;
}

struct waits *waits_create(struct engine *engine, struct reads *reads)
{
    struct waits *w = xcalloc(1, sizeof(*w));

    w->engine = engine;
    w->reads = reads;
    w->inbox = chan_create(WAITS_MAX);
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        abort();
    return w;
}

bool waits_add(struct waits *w, struct wait_item *item)
{
    return chan_send(w->inbox, item);
}

void waits_stop(struct waits *w)
{
    atomic_store(&w->stopping, true);
    chan_close(w->inbox);
    pthread_join(w->thread, NULL);
}

void waits_free(struct waits *w)
{
    if (!w)
        return;
    chan_free(w->inbox);
    free(w);
}
