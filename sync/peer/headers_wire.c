#include <inttypes.h>
#include <string.h>

#include "base/pack.h"
#include "sync/peer/headers_layout.h"

static void put_byte(uint64_t byte, struct buf *out)
{
    const uint8_t b = (uint8_t)byte;

    buf_put(out, &b, 1);
}

static void put_varint(uint64_t n, struct buf *out)
{
    for (; n >= 0x80; n >>= 7)
        put_byte((n & 0x7f) | 0x80, out);
    put_byte(n, out);
}

/* Small changes of either sign become small numbers. */
static uint64_t zigzag(uint64_t change)
{
    return change << 1 ^ (change >> 63 ? UINT64_MAX : 0);
}

void headers_wire_begin(struct headers_wire *w, uint64_t from, struct buf *out)
{
    *w = (struct headers_wire){.next_height = from};
    buf_put(out, HEADERS_MAGIC, HEADERS_MAGIC_LEN);
    put_varint(from, out);
}

struct shape { /* what a header's byte says, and what it takes to say it */
    unsigned version, signature, key;
    uint8_t raw_signature[HEADERS_RAW], raw_key[HEADERS_RAW];
    uint64_t since;
};

static bool shape_of(const struct headers_wire *w, const struct header *h,
                     struct shape *out)
{
    out->version = !h->has_version   ? HEADERS_VERSION_NONE
                   : h->version == 1 ? HEADERS_VERSION_ONE
                                     : HEADERS_VERSION_OTHER;
    if (!headers_layout_kind(h->signature, &out->signature, out->raw_signature) ||
        !headers_layout_kind(h->miner_pubkey, &out->key, out->raw_key))
        return false;
    if (out->key != HEADERS_TEXT_NONE &&
        headers_layout_seen(&w->keys, h->miner_pubkey, &out->since))
        out->key = HEADERS_TEXT_SEEN;
    return true;
}

static void put_text(unsigned kind, const char *text, const uint8_t raw[HEADERS_RAW],
                     struct buf *out)
{
    if (kind == HEADERS_TEXT_RAW) {
        buf_put(out, raw, HEADERS_RAW);
    } else if (kind == HEADERS_TEXT_PLAIN) {
        put_byte(strlen(text), out);
        buf_puts(out, text);
    }
}

static void put_header(struct headers_wire *w, const struct header *h,
                       const struct shape *s, struct buf *out)
{
    uint64_t bits;

    memcpy(&bits, &h->timestamp, sizeof(bits));
    put_byte((h->difficulty != w->difficulty ? HEADERS_DIFFICULTY : 0) |
                 s->version << HEADERS_VERSION_SHIFT |
                 s->signature << HEADERS_SIGNATURE_SHIFT | s->key << HEADERS_KEY_SHIFT,
             out);
    if (w->count == 0)
        buf_put(out, h->prev, sizeof(h->prev));
    if (h->difficulty != w->difficulty)
        put_varint(h->difficulty, out);
    if (s->version == HEADERS_VERSION_OTHER)
        put_varint(h->version, out);
    put_varint(h->nonce, out);
    put_varint(zigzag(bits - w->time_bits), out);
    buf_put(out, h->merkle_root, sizeof(h->merkle_root));
    if (s->key == HEADERS_TEXT_SEEN)
        put_varint(s->since, out);
    else
        put_text(s->key, h->miner_pubkey, s->raw_key, out);
    put_text(s->signature, h->signature, s->raw_signature, out);
    w->time_bits = bits;
    w->difficulty = h->difficulty;
}

enum errc headers_wire_add(struct headers_wire *w, const struct header *h,
                           struct buf *out, struct err *err)
{
    struct shape s = {0};

    if (h->height != w->next_height ||
        (w->count > 0 && memcmp(h->prev, w->last, sizeof(w->last)) != 0))
        return err_set(err, ERR_INVALID, "header %" PRIu64 " does not come next",
                       h->height);
    if (!shape_of(w, h, &s))
        return err_set(err, ERR_INVALID,
                       "header %" PRIu64 ": signature or key is no plain text",
                       h->height);
    put_header(w, h, &s, out);
    if (s.key == HEADERS_TEXT_RAW || s.key == HEADERS_TEXT_PLAIN)
        headers_layout_remember(&w->keys, h->miner_pubkey);
    memcpy(w->last, h->hash, sizeof(w->last));
    w->next_height++;
    w->count++;
    return ERR_OK;
}

void headers_wire_end(struct headers_wire *w, struct buf *out)
{
    put_byte(HEADERS_END, out);
    if (w->count > 0)
        buf_put(out, w->last, sizeof(w->last));
}

void headers_wire_line(const struct header *h, struct buf *out)
{
    header_write(h, out);
    buf_puts(out, "\n");
}

enum errc headers_wire_decode(const void *bytes, size_t len,
                              struct headers_wire_batch *batch, struct err *err)
{
    CLEANUP_BUF struct buf unpacked = BUF(HEADERS_WIRE_BYTES_MAX);

    if (len > HEADERS_WIRE_BYTES_MAX)
        return err_fail(err, REASON_PEER_BAD_ANSWER, "headers: over %d bytes",
                        HEADERS_WIRE_BYTES_MAX);
    if (pack_is_zstd(bytes, len)) {
        if (pack_unzstd(bytes, len, &unpacked, err) != ERR_OK)
            return err->code;
        bytes = unpacked.data ? unpacked.data : "";
        len = unpacked.len;
    }
    if (len >= HEADERS_MAGIC_LEN &&
        memcmp(bytes, HEADERS_MAGIC, HEADERS_MAGIC_LEN) == 0)
        return headers_compact_read(bytes, len, batch, err);
    return headers_lines_read(bytes, len, batch, err);
}
