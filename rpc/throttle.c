#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "rpc/client.h"
#include "rpc/throttle.h"

/* Addresses that fall into one slot share its count. */
enum { SLOTS = 1024 };

struct throttle {
    uint8_t key[CLIENT_KEY];
    atomic_uint_least64_t slots[SLOTS]; /* window << 32 | count */
};

struct throttle *throttle_create(void)
{
    struct throttle *t = xcalloc(1, sizeof(*t));

    client_key(t->key);
    return t;
}

void throttle_free(struct throttle *t)
{
    free(t);
}

bool throttle_wrong(struct throttle *t, const struct sockaddr *from,
                    int64_t now_mono_ms)
{
    atomic_uint_least64_t *slot = &t->slots[client_number(t->key, from) % SLOTS];
    uint64_t window = (uint64_t)(now_mono_ms / THROTTLE_WINDOW_MS) << 32;
    uint64_t old = atomic_load(slot), next;

    do {
        next = old >> 32 == window >> 32 ? old : window;
        if ((uint32_t)next > THROTTLE_WRONG_MAX)
            return true;
        next++;
    } while (!atomic_compare_exchange_weak(slot, &old, next));
    return (uint32_t)next > THROTTLE_WRONG_MAX;
}

unsigned throttle_seconds_left(int64_t now_mono_ms)
{
    int64_t left = THROTTLE_WINDOW_MS - now_mono_ms % THROTTLE_WINDOW_MS;

    return (unsigned)((left + 999) / 1000);
}
