#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/chan.h"

struct chan {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t changed;
    bool closed;
    size_t cap, head, len;
    void *items[];
};

struct chan *chan_create(size_t cap)
{
    struct chan *ch = calloc(1, sizeof(*ch) + cap * sizeof(ch->items[0]));
    pthread_condattr_t attr;

    if (!ch)
        abort();
    ch->cap = cap;
    pthread_mutex_init(&ch->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&ch->changed, &attr);
    pthread_condattr_destroy(&attr);
    return ch;
}

void chan_free(struct chan *ch)
{
    if (!ch)
        return;
    assert(ch->len == 0);
    pthread_cond_destroy(&ch->changed);
    pthread_mutex_destroy(&ch->lock);
    free(ch);
}

static bool push(struct chan *ch, void *item)
{
    if (ch->closed || ch->len == ch->cap)
        return false;
    ch->items[(ch->head + ch->len++) % ch->cap] = item;
    pthread_cond_broadcast(&ch->changed);
    return true;
}

static void *pop(struct chan *ch)
{
    void *item;

    if (ch->len == 0)
        return NULL;
    item = ch->items[ch->head];
    ch->head = (ch->head + 1) % ch->cap;
    ch->len--;
    pthread_cond_broadcast(&ch->changed);
    return item;
}

bool chan_send(struct chan *ch, void *item)
{
    bool sent;

    assert(item);
    pthread_mutex_lock(&ch->lock);
    while (ch->len == ch->cap && !ch->closed)
        pthread_cond_wait(&ch->changed, &ch->lock);
    sent = push(ch, item);
    pthread_mutex_unlock(&ch->lock);
    return sent;
}

bool chan_try_send(struct chan *ch, void *item)
{
    bool sent;

    assert(item);
    pthread_mutex_lock(&ch->lock);
    sent = push(ch, item);
    pthread_mutex_unlock(&ch->lock);
    return sent;
}

void *chan_recv(struct chan *ch)
{
    void *item;

    pthread_mutex_lock(&ch->lock);
    while (ch->len == 0 && !ch->closed)
        pthread_cond_wait(&ch->changed, &ch->lock);
    item = pop(ch);
    pthread_mutex_unlock(&ch->lock);
    return item;
}

void *chan_recv_for(struct chan *ch, int64_t timeout_ms)
{
    struct timespec until;
    void *item;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&ch->lock);
    while (ch->len == 0 && !ch->closed && rc == 0)
        rc = pthread_cond_timedwait(&ch->changed, &ch->lock, &until);
    item = pop(ch);
    pthread_mutex_unlock(&ch->lock);
    return item;
}

void chan_close(struct chan *ch)
{
    pthread_mutex_lock(&ch->lock);
    ch->closed = true;
    pthread_cond_broadcast(&ch->changed);
    pthread_mutex_unlock(&ch->lock);
}
