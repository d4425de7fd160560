#include <pthread.h>
#include <stdlib.h>

#include "base/chan.h"
#include "base/mem.h"
#include "rpc/slow.h"

enum {
    THREADS = 4,
    QUEUE_MAX =
        128, /* as many as the server has connections, so that adding never blocks */
};

struct slow {
    struct chan *queue;
    pthread_t threads[THREADS];
};

static void *run(void *arg)
{
    struct slow *s = arg;
    struct slow_item *item;

    while ((item = chan_recv(s->queue)))
        item->run(item);
    return NULL;
}

struct slow *slow_create(void)
{
    struct slow *s = xcalloc(1, sizeof(*s));

    s->queue = chan_create(QUEUE_MAX);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&s->threads[i], NULL, run, s) != 0)
            abort();
    return s;
}

bool slow_add(struct slow *s, struct slow_item *item)
{
    return chan_send(s->queue, item);
}

void slow_stop(struct slow *s)
{
    chan_close(s->queue);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(s->threads[i], NULL);
}

void slow_free(struct slow *s)
{
    if (!s)
        return;
    chan_free(s->queue);
    free(s);
}
