#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/pyfloat.h"
#include "sync/chain/difficulty.h"
#include "sync/chain/ecdsa.h"
#include "sync/chain/header.h"

enum {
    PREIMAGE_MAX = 512
}; /* six names, two hashes, three u64, a u32, a float: < 350 */

static char *put(char *p, const char *text, size_t len)
{
    memcpy(p, text, len);
    return p + len;
}

#define PUT_LITERAL(p, text) put(p, text, sizeof(text) - 1)

static char *put_u64(char *p, uint64_t n)
{
    char reversed[20];
    size_t len = 0;

    do {
        reversed[len++] = (char)('0' + (int)(n % 10));
        n /= 10;
    } while (n != 0);
    while (len > 0)
        *p++ = reversed[--len];
    return p;
}

static char *put_hash(char *p, const uint8_t hash[32])
{
    hex_encode(hash, 32, p); /* its NUL is overwritten */
    return p + 64;
}

void header_hash(const struct header *h, uint8_t out[32])
{
    char text[PREIMAGE_MAX], *p = text;

    p = PUT_LITERAL(p, "{\"difficulty\":");
    p = put_u64(p, h->difficulty);
    p = PUT_LITERAL(p, ",\"index\":");
    p = put_u64(p, h->height);
    p = PUT_LITERAL(p, ",\"merkle_root\":\"");
    p = put_hash(p, h->merkle_root);
    p = PUT_LITERAL(p, "\",\"nonce\":");
    p = put_u64(p, h->nonce);
    p = PUT_LITERAL(p, ",\"previous_hash\":\"");
    p = put_hash(p, h->prev);
    p = PUT_LITERAL(p, "\",\"timestamp\":");
    p += pyfloat_repr(h->timestamp, p);
    if (h->has_version) {
        p = PUT_LITERAL(p, ",\"version\":");
        p = put_u64(p, h->version);
    }
    p = PUT_LITERAL(p, "}");
    hash_sha256(text, (size_t)(p - text), out);
}

bool header_has_pow(const struct header *h)
{
    for (uint32_t i = 0; i < h->difficulty; i++)
        if (i >= 64 || (i % 2 == 0 ? h->hash[i / 2] >> 4 : h->hash[i / 2] & 15) != 0)
            return false;
    return true;
}

enum errc header_check_signature(const struct header *h, struct err *err)
{
    char message[65];

    if (h->height == 0 || (h->signature[0] == '\0' && h->miner_pubkey[0] == '\0'))
        return ERR_OK;
    hex_encode(h->hash, sizeof(h->hash), message);
    if (!ecdsa_check(h->miner_pubkey, h->signature, message, 64))
        return err_fail(err, REASON_BLOCK_BAD_SIGNATURE,
                        "block %llu: the miner's signature does not fit",
                        (unsigned long long)h->height);
    return ERR_OK;
}

bool header_is_from_future(const struct header *h, int64_t now_ms)
{
    return h->timestamp > (double)now_ms / 1000.0 + 7200.0;
}

uint32_t header_next_difficulty(const struct header_window *w,
                                const struct chain_params *params, double gap_seconds)
{
    if (params->min_difficulty_after_gap && gap_seconds >= DIFFICULTY_GAP_SECONDS)
        return DIFFICULTY_AFTER_GAP;
    return difficulty_regular(w, params).low;
}
