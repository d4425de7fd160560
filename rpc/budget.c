#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "rpc/budget.h"
#include "rpc/client.h"

enum { SLOTS = 1 << 14 };

/*
 * A bucket is the moment when it will be full again, in microseconds of the monotonic
 * clock: taking n puts it n intervals later, and it is empty when that is a burst ahead
 * of now.
 */
struct account {
    atomic_int_least64_t requests_full_us, bytes_full_us;
    atomic_uint_least64_t held;
    atomic_uint connections;
};

struct budget {
    struct budget_limits one, all;
    uint8_t key[CLIENT_KEY];
    struct account total;
    struct account clients[SLOTS]; /* untouched pages cost nothing */
};

#define SECOND_US INT64_C(1000000)
#define BURST_US  (BUDGET_BURST_SECONDS * SECOND_US)

struct budget *budget_create(const struct budget_limits *one,
                             const struct budget_limits *all)
{
    struct budget *b = xcalloc(1, sizeof(*b));

    b->one = *one;
    b->all = *all;
    client_key(b->key);
    return b;
}

void budget_free(struct budget *b)
{
    free(b);
}

static struct account *account_of(struct budget *b, const struct sockaddr *from)
{
    return &b->clients[client_number(b->key, from) % SLOTS];
}

bool budget_room(struct budget *b, const struct sockaddr *from)
{
    return atomic_load(&account_of(b, from)->connections) < 2 * b->one.connections;
}

bool budget_connected(struct budget *b, const struct sockaddr *from)
{
    unsigned own = atomic_fetch_add(&account_of(b, from)->connections, 1) + 1;
    unsigned all = atomic_fetch_add(&b->total.connections, 1) + 1;

    return own <= b->one.connections && all <= b->all.connections;
}

void budget_disconnected(struct budget *b, const struct sockaddr *from)
{
    atomic_fetch_sub(&account_of(b, from)->connections, 1);
    atomic_fetch_sub(&b->total.connections, 1);
}

/* How long until there is one again; 0: now. */
static int64_t wait_us(const atomic_int_least64_t *full_us, int64_t now_us)
{
    int64_t ahead = atomic_load(full_us) - now_us - BURST_US;

    return ahead > 0 ? ahead : 0;
}

static void take(atomic_int_least64_t *full_us, int64_t cost_us, int64_t now_us)
{
    int64_t old = atomic_load(full_us), next;

    do
        next = (old > now_us ? old : now_us) + cost_us;
    while (!atomic_compare_exchange_weak(full_us, &old, next));
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t account_wait(const struct account *a, int64_t now_us)
{
    return most(wait_us(&a->requests_full_us, now_us),
                wait_us(&a->bytes_full_us, now_us));
}

unsigned budget_ask(struct budget *b, const struct sockaddr *from, int64_t now_mono_ms)
{
    struct account *client = account_of(b, from);
    int64_t now_us = now_mono_ms * 1000;
    int64_t wait = most(account_wait(client, now_us), account_wait(&b->total, now_us));

    if (wait > 0) /* costs nothing: who hammers is not locked out for good */
        return (unsigned)((wait + SECOND_US - 1) / SECOND_US);
    take(&client->requests_full_us, SECOND_US / (int64_t)b->one.requests_per_second,
         now_us);
    take(&b->total.requests_full_us, SECOND_US / (int64_t)b->all.requests_per_second,
         now_us);
    return 0;
}

static int64_t cost_of(size_t bytes, uint64_t per_second)
{
    return (int64_t)((double)bytes * (double)SECOND_US / (double)per_second);
}

void budget_pay(struct budget *b, const struct sockaddr *from, size_t bytes,
                int64_t now_mono_ms)
{
    int64_t now_us = now_mono_ms * 1000;

    take(&account_of(b, from)->bytes_full_us, cost_of(bytes, b->one.bytes_per_second),
         now_us);
    take(&b->total.bytes_full_us, cost_of(bytes, b->all.bytes_per_second), now_us);
}

static bool hold(struct account *a, size_t bytes, uint64_t most_held)
{
    if (bytes > most_held)
        return false;
    if (atomic_fetch_add(&a->held, bytes) + bytes <= most_held)
        return true;
    atomic_fetch_sub(&a->held, bytes);
    return false;
}

bool budget_hold(struct budget *b, const struct sockaddr *from, size_t bytes)
{
    struct account *client = account_of(b, from);

    if (!hold(client, bytes, b->one.held))
        return false;
    if (hold(&b->total, bytes, b->all.held))
        return true;
    atomic_fetch_sub(&client->held, bytes);
    return false;
}

void budget_release(struct budget *b, const struct sockaddr *from, size_t bytes)
{
    atomic_fetch_sub(&account_of(b, from)->held, bytes);
    atomic_fetch_sub(&b->total.held, bytes);
}
