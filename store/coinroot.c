#include <string.h>

#include "base/hash.h"
#include "store/bytes.h"
#include "store/coinroot.h"

static void merkle(uint8_t *level, size_t n, uint8_t out[32])
{
    uint8_t pair[1 + 64] = {0x01};

    memset(out, 0, 32);
    for (; n > 1; n = (n + 1) / 2) {
        for (size_t i = 0; i + 1 < n; i += 2) {
            memcpy(pair + 1, level + 32 * i, 64);
            hash_sha256(pair, sizeof(pair), level + 16 * i);
        }
        if (n % 2) /* the odd one goes up as it is */
            memmove(level + 16 * (n - 1), level + 32 * (n - 1), 32);
    }
    if (n == 1)
        memcpy(out, level, 32);
}

void coinroot_compute(uint8_t *leaves, size_t count, uint64_t coin_count, u128 total,
                      uint8_t out[32])
{
    static const char domain[] = "cairn-state-root-v1"; /* its NUL is hashed */
    uint8_t text[sizeof(domain) + 32 + 8 + 16], *p = text;

    memcpy(p, domain, sizeof(domain));
    p += sizeof(domain);
    merkle(leaves, count, p);
    p += 32;
    bytes_put_le64(p, coin_count);
    p += 8;
    u128_store(total, p);
    hash_sha256(text, sizeof(text), out);
}
