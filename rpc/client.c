#include <netinet/in.h>
#include <sodium.h>
#include <string.h>

#include "rpc/client.h"

enum { V4 = 4, V6_NETWORK = 8 };

_Static_assert(CLIENT_KEY == crypto_shorthash_KEYBYTES, "the hash's key");

void client_key(uint8_t key[CLIENT_KEY])
{
    crypto_shorthash_keygen(key);
}

/* Zeros for what is no internet address. */
static void group_of(const struct sockaddr *from, uint8_t out[16])
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    memset(out, 0, 16);
    if (from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof(v4));
        memcpy(out, &v4.sin_addr, V4);
    } else if (from->sa_family == AF_INET6) {
        memcpy(&v6, from, sizeof(v6));
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            memcpy(out, &v6.sin6_addr.s6_addr[12], V4);
        else
            memcpy(out + V4, &v6.sin6_addr, V6_NETWORK);
    }
}

uint64_t client_number(const uint8_t key[CLIENT_KEY], const struct sockaddr *from)
{
    uint8_t group[16], hash[crypto_shorthash_BYTES];
    uint64_t n;

    group_of(from, group);
    (void)crypto_shorthash(hash, group, sizeof(group), key);
    memcpy(&n, hash, sizeof(n));
    return n;
}
