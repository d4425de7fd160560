#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/hex.h"
#include "sync/p2p/envelope_pow.h"

void envelope_pow_base(const char *key_hex, int64_t seconds, const char *nonce,
                       const uint8_t payload_hash[32], struct buf *out)
{
    char hash[65];

    hex_encode(payload_hash, 32, hash);
    buf_printf(out, "%s:%" PRId64 ":%s:%s:", key_hex, seconds, nonce, hash);
}

/* bits: at most 255. */
static bool begins_with_zeros(const uint8_t digest[32], unsigned bits)
{
    for (unsigned i = 0; i < bits / 8; i++)
        if (digest[i] != 0)
            return false;
    return digest[bits / 8] >> (8 - bits % 8) == 0;
}

bool envelope_pow_holds(struct buf *base, const char *solution, unsigned bits)
{
    size_t len = base->len;
    uint8_t digest[32];

    buf_puts(base, solution);
    hash_sha256(base->data, base->len, digest);
    base->len = len;
    return begins_with_zeros(digest, bits);
}

void envelope_pow_solve(struct buf *base, unsigned bits, char out[ENVELOPE_POW_TEXT])
{
    uint64_t n = 0;

    do {
        (void)snprintf(out, ENVELOPE_POW_TEXT, "%" PRIx64, n++);
    } while (!envelope_pow_holds(base, out, bits));
}
