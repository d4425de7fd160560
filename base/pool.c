#include <pthread.h>
#include <stdlib.h>

#include "base/chan.h"
#include "base/mem.h"
#include "base/pool.h"

struct pool {
    struct chan *tasks;
    void (*done)(void *arg, struct task *task);
    void *arg;
    size_t threads;
    pthread_t ids[];
};

static void *worker(void *arg)
{
    struct pool *pool = arg;
    struct task *task;

    while ((task = chan_recv(pool->tasks))) {
        task->run(task);
        pool->done(pool->arg, task);
    }
    return NULL;
}

struct pool *pool_create(size_t threads, size_t cap,
                         void (*done)(void *arg, struct task *task), void *arg)
{
    struct pool *pool = xcalloc(1, sizeof(*pool) + threads * sizeof(pool->ids[0]));

    pool->tasks = chan_create(cap);
    pool->done = done;
    pool->arg = arg;
    for (; pool->threads < threads; pool->threads++)
        if (pthread_create(&pool->ids[pool->threads], NULL, worker, pool) != 0)
            abort();
    return pool;
}

void pool_submit(struct pool *pool, struct task *task)
{
    if (!chan_send(pool->tasks, task))
        abort(); /* submitting after pool_free is a bug */
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    chan_close(pool->tasks);
    for (size_t i = 0; i < pool->threads; i++)
        pthread_join(pool->ids[i], NULL);
    chan_free(pool->tasks);
    free(pool);
}
