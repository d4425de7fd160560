#include <netinet/in.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/throttle.h"

/* Addresses that fall into one slot share its count. */
enum { SLOTS = 1024 };

struct throttle {
    uint8_t key[crypto_shorthash_KEYBYTES]; /* nobody chooses who shares a slot */
    atomic_uint_least64_t slots[SLOTS];     /* window << 32 | count */
};

struct throttle *throttle_create(void)
{
    struct throttle *t = xcalloc(1, sizeof(*t));

    crypto_shorthash_keygen(t->key);
    return t;
}

void throttle_free(struct throttle *t)
{
    free(t);
}

static atomic_uint_least64_t *slot_of(struct throttle *t, const struct sockaddr *from)
{
    uint8_t address[16] = {0}, hash[crypto_shorthash_BYTES];
    uint64_t n;

    if (from->sa_family == AF_INET)
        memcpy(address, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    else if (from->sa_family == AF_INET6)
        memcpy(address, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
               16);
    (void)crypto_shorthash(hash, address, sizeof(address), t->key);
    memcpy(&n, hash, sizeof(n));
    return &t->slots[n % SLOTS];
}

bool throttle_wrong(struct throttle *t, const struct sockaddr *from,
                    int64_t now_mono_ms)
{
    atomic_uint_least64_t *slot = slot_of(t, from);
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
