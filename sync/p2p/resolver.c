#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdatomic.h>
#include <string.h>

#include "base/chan.h"
#include "base/mem.h"
#include "sync/p2p/resolver.h"

struct resolver {
    struct chan *queue;
    pthread_t thread;
    atomic_bool stopping;
    void (*done)(void *arg, struct lookup *l);
    void *arg;
};

static void take_address(struct lookup *l, const struct addrinfo *a)
{
    struct cidr c = {.bits = 128, .bytes = {[10] = 0xff, [11] = 0xff}};
    const void *address = a->ai_addr;

    if (a->ai_family == AF_INET)
        memcpy(c.bytes + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    else if (a->ai_family == AF_INET6)
        memcpy(c.bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    else
        return;
    l->addresses[l->count++] = c;
}

static void look_up(struct lookup *l)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;

    if (getaddrinfo(l->host, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *a = found; a && l->count < RESOLVER_ADDRESSES_MAX;
         a = a->ai_next)
        take_address(l, a);
    freeaddrinfo(found);
}

static void *run(void *arg)
{
    struct resolver *r = arg;
    struct lookup *l;

    /* This thread's own settings: a dead name server must not hold up a stop. */
    if (res_init() == 0) {
        _res.retrans = 2;
        _res.retry = 1;
    }
    while ((l = chan_recv(r->queue))) {
        if (!atomic_load(&r->stopping))
            look_up(l);
        r->done(r->arg, l);
    }
    return NULL;
}

enum errc resolver_start(void (*done)(void *arg, struct lookup *l), void *arg,
                         struct resolver **out, struct err *err)
{
    struct resolver *r = xcalloc(1, sizeof(*r));

    r->queue = chan_create(RESOLVER_QUEUE_MAX);
    r->done = done;
    r->arg = arg;
    if (pthread_create(&r->thread, NULL, run, r) != 0) {
        chan_free(r->queue);
        free(r);
        return err_fail(err, REASON_INTERNAL, "cannot start the resolver's thread");
    }
    *out = r;
    return ERR_OK;
}

bool resolver_submit(struct resolver *r, struct lookup *l)
{
    return chan_try_send(r->queue, l);
}

void resolver_stop(struct resolver *r)
{
    if (!r)
        return;
    atomic_store(&r->stopping, true);
    chan_close(r->queue);
    (void)pthread_join(r->thread, NULL);
    chan_free(r->queue);
    free(r);
}
