#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/peer/headers_layout.h"

struct reader {
    const uint8_t *at, *end;
    uint64_t time_bits;
    struct headers_wire_keys keys;
};

static enum errc bad(uint64_t height, const char *what, struct err *err)
{
    return err_fail(err, REASON_PEER_BAD_ANSWER, "header %llu: %s",
                    (unsigned long long)height, what);
}

static bool take(struct reader *r, void *out, size_t len)
{
    if ((size_t)(r->end - r->at) < len)
        return false;
    memcpy(out, r->at, len);
    r->at += len;
    return true;
}

/* As short as can be: the last byte is not 0 unless it is the only one. */
static bool take_varint(struct reader *r, uint64_t *out)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < HEADERS_VARINT_MAX; i++) {
        uint8_t byte;

        if (!take(r, &byte, 1))
            return false;
        if (i == HEADERS_VARINT_MAX - 1 && byte > 1)
            return false; /* over 64 bits */
        n |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out = n;
            return byte != 0 || i == 0;
        }
    }
    return false;
}

/* Of one kind exactly, the one that its writer had to choose. */
static bool take_text(struct reader *r, unsigned kind, char *out)
{
    uint8_t raw[HEADERS_RAW], len;
    unsigned right;

    if (kind == HEADERS_TEXT_NONE) {
        out[0] = '\0';
        return true;
    }
    if (kind == HEADERS_TEXT_RAW) {
        if (!take(r, raw, sizeof(raw)))
            return false;
        hex_encode(raw, sizeof(raw), out);
        return true;
    }
    if (kind != HEADERS_TEXT_PLAIN || !take(r, &len, 1) || len > HEADER_PUBKEY_MAX ||
        !take(r, out, len))
        return false;
    out[len] = '\0';
    return strlen(out) == len && headers_layout_kind(out, &right, raw) && right == kind;
}

static bool take_key(struct reader *r, unsigned kind, char *out)
{
    uint64_t since;

    if (kind == HEADERS_TEXT_SEEN) {
        if (!take_varint(r, &since) || since >= r->keys.count ||
            since >= HEADERS_WIRE_KEYS)
            return false;
        memcpy(out, r->keys.text[(r->keys.count - 1 - since) % HEADERS_WIRE_KEYS],
               HEADER_PUBKEY_MAX + 1);
        return true;
    }
    if (!take_text(r, kind, out) || headers_layout_seen(&r->keys, out, &since))
        return false; /* the one that was spelled out before was to be named */
    if (kind != HEADERS_TEXT_NONE)
        headers_layout_remember(&r->keys, out);
    return true;
}

static bool take_time(struct reader *r, double *out)
{
    uint64_t zigzag;

    if (!take_varint(r, &zigzag))
        return false;
    r->time_bits += zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0);
    memcpy(out, &r->time_bits, sizeof(*out));
    return header_is_time(*out);
}

static bool take_difficulty(struct reader *r, unsigned flags, uint32_t *difficulty)
{
    uint64_t n;

    if (!(flags & HEADERS_DIFFICULTY))
        return true;
    if (!take_varint(r, &n) || n > HEADER_DIFFICULTY_MAX || n == *difficulty)
        return false;
    *difficulty = (uint32_t)n;
    return true;
}

static bool take_version(struct reader *r, unsigned flags, struct header *h)
{
    unsigned kind = flags >> HEADERS_VERSION_SHIFT & HEADERS_FIELD;

    h->has_version = kind != HEADERS_VERSION_NONE;
    h->version = kind == HEADERS_VERSION_ONE ? 1 : 0;
    if (kind == HEADERS_VERSION_OTHER)
        return take_varint(r, &h->version) && h->version != 1;
    return kind <= HEADERS_VERSION_OTHER;
}

static enum errc take_header(struct reader *r, unsigned flags, struct header *h,
                             struct err *err)
{
    if (!take_difficulty(r, flags, &h->difficulty))
        return bad(h->height, "difficulty", err);
    if (!take_version(r, flags, h))
        return bad(h->height, "version", err);
    if (!take_varint(r, &h->nonce))
        return bad(h->height, "nonce", err);
    if (!take_time(r, &h->timestamp))
        return bad(h->height, "timestamp", err);
    if (!take(r, h->merkle_root, sizeof(h->merkle_root)))
        return bad(h->height, "merkle root", err);
    if (!take_key(r, flags >> HEADERS_KEY_SHIFT & HEADERS_FIELD, h->miner_pubkey))
        return bad(h->height, "key", err);
    if (!take_text(r, flags >> HEADERS_SIGNATURE_SHIFT & HEADERS_FIELD, h->signature))
        return bad(h->height, "signature", err);
    header_hash(h, h->hash);
    return ERR_OK;
}

static enum errc take_end(struct reader *r, const struct header *last, struct err *err)
{
    uint8_t hash[32];

    if (last &&
        (!take(r, hash, sizeof(hash)) || memcmp(hash, last->hash, sizeof(hash)) != 0))
        return bad(last->height, "the last hash is not the one at the end", err);
    if (r->at != r->end)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "headers: bytes after the end");
    return ERR_OK;
}

/* The height and difficulty that follow from the header before, and what it stands on.
 */
static bool take_place(struct reader *r, const struct header *before, struct header *h)
{
    if (!before)
        return take(r, h->prev, sizeof(h->prev));
    h->difficulty = before->difficulty;
    memcpy(h->prev, before->hash, sizeof(h->prev));
    return true;
}

static enum errc take_all(struct reader *r, struct headers_wire_batch *batch,
                          struct err *err)
{
    struct header *before = NULL;

    for (size_t n = 0;; n++) {
        struct header *h = &batch->room[n];
        uint64_t height = batch->from + n;
        uint8_t flags;

        if (!take(r, &flags, 1))
            return bad(height, "cut off", err);
        if (flags == HEADERS_END) {
            batch->count = n;
            return take_end(r, before, err);
        }
        if (n == batch->max || flags & HEADERS_END)
            return bad(height, "more than were asked for", err);
        *h = (struct header){.height = height};
        if (!take_place(r, before, h))
            return bad(height, "previous hash", err);
        if (take_header(r, flags, h, err) != ERR_OK)
            return err->code;
        before = h;
    }
}

enum errc headers_compact_read(const uint8_t *bytes, size_t len,
                               struct headers_wire_batch *batch, struct err *err)
{
    AUTOFREE struct reader *r = xcalloc(1, sizeof(*r));
    uint64_t first;

    r->at = bytes + HEADERS_MAGIC_LEN;
    r->end = bytes + len;
    if (!take_varint(r, &first) || first != batch->from ||
        first > UINT64_MAX - batch->max)
        return bad(batch->from, "the answer is from another height", err);
    return take_all(r, batch, err);
}
