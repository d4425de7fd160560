#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "sync/p2p/envelope.h"
#include "sync/p2p/envelope_pow.h"

enum { NONCE = 16, POW_BASE_MAX = 256 };

void envelope_fini(struct envelope *e)
{
    json_free(e->doc);
    *e = (struct envelope){0};
}

bool envelope_next(const char **text, size_t *left, const char **message, size_t *len)
{
    while (*left > 0) {
        const char *start = *text, *end = memchr(start, '\n', *left);
        size_t size = end ? (size_t)(end - start) : *left, used = end ? size + 1 : size;

        *text += used;
        *left -= used;
        if (size > 0) {
            *message = start;
            *len = size;
            return true;
        }
    }
    return false;
}

struct parts {
    char key[2 * P2P_KEY_BYTES + 1], sender[17], nonce[2 * NONCE + 1];
    char solution[ENVELOPE_POW_TEXT];
    int64_t seconds;
};

static void fill(const struct p2p_key *k, const char *payload, size_t len,
                 int64_t now_ms, struct parts *p)
{
    CLEANUP_BUF struct buf base = BUF(POW_BASE_MAX);
    uint8_t key[P2P_KEY_BYTES], nonce[NONCE], digest[32];

    p2p_key_public(k, key);
    hex_encode(key, sizeof(key), p->key);
    hash_sha256(key, sizeof(key), digest);
    hex_encode(digest, sizeof(p->sender) / 2, p->sender);
    randombytes_buf(nonce, sizeof(nonce));
    hex_encode(nonce, sizeof(nonce), p->nonce);
    p->seconds = now_ms / 1000;
    hash_sha256(payload, len, digest);
    envelope_pow_base(p->key, p->seconds, p->nonce, digest, &base);
    envelope_pow_solve(&base, ENVELOPE_POW_BITS, p->solution);
}

void envelope_seal(const struct p2p_key *k, const char *payload, size_t len,
                   int64_t now_ms, struct buf *out)
{
    CLEANUP_BUF struct buf text = BUF(ENVELOPE_MAX);
    struct parts p;
    uint8_t digest[32], der[P2P_KEY_SIG_MAX];
    char sig[2 * P2P_KEY_SIG_MAX + 1];
    size_t signed_from;

    fill(k, payload, len, now_ms, &p);
    buf_puts(&text, "{\"message\":");
    signed_from = text.len;
    buf_printf(&text, "{\"nonce\":\"%s\",\"payload\":", p.nonce);
    buf_put(&text, payload, len);
    buf_printf(&text,
               ",\"pow\":{\"difficulty\":%d,\"nonce\":\"%s\"},\"sender_id\":\"%s\","
               "\"timestamp\":%" PRId64 "}",
               ENVELOPE_POW_BITS, p.solution, p.sender, p.seconds);
    hash_sha256(text.data + signed_from, text.len - signed_from, digest);
    hash_sha256(digest, sizeof(digest), digest);
    hex_encode(der, p2p_key_sign(k, digest, der), sig);
    buf_printf(&text, ",\"signature\":\"%s.%s\"}", p.key, sig);
    if (text.full)
        out->full = true;
    else
        buf_put(out, text.data, text.len);
}
