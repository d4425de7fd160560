#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/hex.h"
#include "sync/trust/trust.h"

void trust_digest(uint64_t height, const uint8_t block_hash[32], const char *state_hash,
                  uint8_t out[32])
{
    char text[256], hex[65];
    int len;

    hex_encode(block_hash, 32, hex);
    len = snprintf(text, sizeof(text),
                   "{\"block_hash\":\"%s\",\"height\":%" PRIu64
                   ",\"state_hash\":\"%.64s\"}",
                   hex, height, state_hash);
    hash_sha256(text, (size_t)len, out);
}
