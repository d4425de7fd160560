#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdatomic.h>
#include <stddef.h>

/*
 * Worker threads that run owned tasks.  A task cannot fail: its result, error included,
 * is in the task.  run() is called on a worker, then done(arg, task) on that worker,
 * which hands the task back (usually into the owner's inbox).  At most cap tasks wait;
 * the owner keeps count of what it has outstanding and never submits more than cap.
 */
struct task {
    void (*run)(struct task *task);
    atomic_bool cancel; /* set by the owner or pool_cancel; long tasks look at it */
};

struct pool;

struct pool *pool_create(size_t threads, size_t cap,
                         void (*done)(void *arg, struct task *task), void *arg);
/* Takes ownership until done() is called.  Blocks while cap tasks wait. */
void pool_submit(struct pool *pool, struct task *task);
/* Sets cancel of the tasks that run and of all that will: pool_free is not far.  For
   who frees the tasks, so that none goes meanwhile. */
void pool_cancel(struct pool *pool);
/* Runs what is queued, then joins the threads.  NULL is a no-op. */
void pool_free(struct pool *pool);

#endif
