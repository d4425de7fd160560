#ifndef TESTS_UNIT_FAKE_ENGINE_H
#define TESTS_UNIT_FAKE_ENGINE_H

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sync/engine.h"

/* The engine as rpc/ sees it, told by a test what to answer. */
struct engine {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct engine_status status;
    bool blocked; /* calls are not answered before fake_unblock */
    unsigned calling;
    /* of the last engine_call */
    enum engine_op op;
    bool full, dry_run, has_height;
    uint64_t height;
    int64_t job_id;
    char *url, *path, *payload, *block_hash, *reason, *key, *actor, *peer;
    uint64_t ban_seconds;
    size_t peers; /* that answered lately; it tells two URLs of them */
    /* what it answers: the error when its code is set, else this object */
    struct err err;
    const char *answer;
    const char *sources; /* of the body of job sources_of; NULL */
    int64_t sources_of;
};

static struct engine fake = {.lock = PTHREAD_MUTEX_INITIALIZER,
                             .changed = PTHREAD_COND_INITIALIZER};

static inline void fake_forget(void)
{
    free(fake.url);
    free(fake.path);
    free(fake.payload);
    free(fake.block_hash);
    free(fake.reason);
    free(fake.key);
    free(fake.actor);
    free(fake.peer);
    fake.url = fake.path = fake.payload = fake.block_hash = fake.reason = fake.key =
        fake.actor = fake.peer = NULL;
}

static inline void fake_reset(void)
{
    fake_forget();
    fake.status = (struct engine_status){.seq = 1, .progress.eta_seconds = -1};
    fake.err = (struct err){0};
    fake.answer = "{}";
    fake.sources = NULL;
    fake.peers = 3;
    fake.blocked = false;
}

/* What was done to status shows. */
static inline void fake_publish(void)
{
    pthread_mutex_lock(&fake.lock);
    fake.status.seq++;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.lock);
}

static inline void fake_unblock(void)
{
    pthread_mutex_lock(&fake.lock);
    fake.blocked = false;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.lock);
}

/* Until n calls are under way. */
static inline void fake_await_calls(unsigned n)
{
    pthread_mutex_lock(&fake.lock);
    while (fake.calling < n)
        pthread_cond_wait(&fake.changed, &fake.lock);
    pthread_mutex_unlock(&fake.lock);
}

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

enum errc engine_call(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err)
{
    pthread_mutex_lock(&e->lock);
    e->calling++;
    pthread_cond_broadcast(&e->changed);
    while (e->blocked)
        pthread_cond_wait(&e->changed, &e->lock);
    e->calling--;
    fake_forget();
    e->op = req->op;
    e->full = req->full;
    e->dry_run = req->dry_run;
    e->has_height = req->has_height;
    e->height = req->height;
    e->job_id = req->job_id;
    e->url = copy(req->url);
    e->path = copy(req->path);
    e->payload = copy(req->payload);
    e->block_hash = copy(req->block_hash);
    e->reason = copy(req->reason);
    e->key = copy(req->idempotency_key);
    e->actor = copy(req->actor);
    e->peer = copy(req->peer);
    e->ban_seconds = req->ban_seconds;
    *err = e->err;
    if (e->err.code == ERR_OK)
        *result = cJSON_Parse(e->answer);
    pthread_mutex_unlock(&e->lock);
    return err->code;
}

bool engine_job_sources(struct engine *e, int64_t job_id, struct buf *out)
{
    if (!e->sources || e->sources_of != job_id)
        return false;
    buf_puts(out, e->sources);
    return true;
}

const char *engine_state_name(enum engine_state state)
{
    return state == ENGINE_IDLE ? "idle" : "following";
}

void engine_status(struct engine *e, struct engine_status *out)
{
    pthread_mutex_lock(&e->lock);
    *out = e->status;
    pthread_mutex_unlock(&e->lock);
}

struct engine_peers engine_peers_told(struct engine *e, struct buf *out)
{
    buf_puts(out, "[\"http://a\",\"b\\\"\"]");
    return (struct engine_peers){.answering = e->peers, .told = 2};
}

bool engine_status_wait(struct engine *e, uint64_t seen, int64_t timeout_ms,
                        bool *stopping)
{
    struct timespec until;
    bool changed;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)timeout_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&e->lock);
    while (e->status.seq == seen && rc == 0)
        rc = pthread_cond_timedwait(&e->changed, &e->lock, &until);
    changed = e->status.seq != seen;
    *stopping = false;
    pthread_mutex_unlock(&e->lock);
    return changed;
}

#endif
