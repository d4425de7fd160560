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
    atomic_bool ending;
    struct worker {
        struct pool *pool;
        pthread_t id;
        struct task *_Atomic running;
    } workers[];
};

static void *worker(void *arg)
{
    struct worker *w = arg;
    struct pool *pool = w->pool;
    struct task *task;

    while ((task = chan_recv(pool->tasks))) {
        atomic_store(&w->running, task);
        if (atomic_load(
                &pool->ending)) /* after it was shown: one of us sees the other */
            atomic_store(&task->cancel, true);
        task->run(task);
        atomic_store(&w->running, NULL);
        pool->done(pool->arg, task);
    }
    return NULL;
}

struct pool *pool_create(size_t threads, size_t cap,
                         void (*done)(void *arg, struct task *task), void *arg)
{
    struct pool *pool = xcalloc(1, sizeof(*pool) + threads * sizeof(pool->workers[0]));

    pool->tasks = chan_create(cap);
    pool->done = done;
    pool->arg = arg;
    for (; pool->threads < threads; pool->threads++) {
        struct worker *w = &pool->workers[pool->threads];

        w->pool = pool;
        if (pthread_create(&w->id, NULL, worker, w) != 0)
            abort();
    }
    return pool;
}

void pool_submit(struct pool *pool, struct task *task)
{
    if (!chan_send(pool->tasks, task))
        abort(); /* submitting after pool_free is a bug */
}

void pool_cancel(struct pool *pool)
{
    atomic_store(&pool->ending, true);
    for (size_t i = 0; i < pool->threads; i++) {
        struct task *task = atomic_load(&pool->workers[i].running);

        if (task)
            atomic_store(&task->cancel, true);
    }
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    chan_close(pool->tasks);
    for (size_t i = 0; i < pool->threads; i++)
        pthread_join(pool->workers[i].id, NULL);
    chan_free(pool->tasks);
    free(pool);
}
