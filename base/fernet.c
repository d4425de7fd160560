#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fernet.h"
#include "base/mem.h"

enum {
    IV_AT = 1 + 8, /* behind version and time */
    TEXT_AT = IV_AT + AES_BLOCK_SIZE,
    MAC = 32,
    PIECE_TEXT = 64 << 10, /* of base64: a multiple of 4 */
    PIECE = PIECE_TEXT / 4 * 3,
    VERSION = 0x80,
};

/* --- base64url --- */

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

/* Four digits to 24 bits; those from digits on are padding.  False: no base64url. */
static bool decode_group(const char *text, size_t digits, uint8_t out[3])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int d = i < digits ? digit(text[i]) : 0;

        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
    }
    for (size_t i = 0; i < 3; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return true;
}

/* len is a multiple of 4; padding may end it.  -1: it is not base64url. */
static long decode(const char *text, size_t len, uint8_t *out)
{
    size_t pad = 0, n = len / 4 * 3;

    while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < len; i += 4)
        if (!decode_group(text + i, len - pad - i < 4 ? len - pad - i : 4,
                          out + i / 4 * 3))
            return -1;
    for (size_t i = 1; i <= pad; i++)
        if (out[n - i] != 0) /* one spelling only */
            return -1;
    return (long)(n - pad);
}

bool fernet_key_parse(const char *text, size_t len, uint8_t key[FERNET_KEY])
{
    uint8_t bytes[FERNET_KEY + 1];

    if (len != 44 || decode(text, len, bytes) != FERNET_KEY)
        return false;
    memcpy(key, bytes, FERNET_KEY);
    return true;
}

/* --- a token's bytes, in pieces --- */

static enum errc malformed(struct err *err, const char *what)
{
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "encrypted data: %s", what);
}

struct pass {
    const struct fernet_token *token;
    uint64_t text_at; /* in the file */
    uint64_t at;      /* of bytes: where the piece begins */
    uint64_t total;   /* bytes of the token, its HMAC included */
    char *text;
    uint8_t *bytes;
    size_t len; /* of the piece */
};

static enum errc next_piece(struct pass *p, struct err *err)
{
    uint64_t left = p->token->to - p->text_at;
    size_t want = left < PIECE_TEXT ? (size_t)left : PIECE_TEXT;
    ssize_t got = pread(p->token->fd, p->text, want, (off_t)p->text_at);
    long n;

    if (got < 0)
        return err_errno(err, "reading a token");
    if ((size_t)got != want)
        return malformed(err, "it is cut off");
    /* padding is for the end of the last piece */
    if (want < left && p->text[want - 1] == '=')
        return malformed(err, "no base64url");
    n = decode(p->text, want, p->bytes);
    if (n < 0)
        return malformed(err, "no base64url");
    p->at += p->len;
    p->text_at += want;
    p->len = (size_t)n;
    return ERR_OK;
}

static bool more(const struct pass *p)
{
    return p->text_at < p->token->to;
}

/* How many bytes it holds is told by its length and padding. */
static enum errc measure(const struct fernet_token *t, uint64_t *total, struct err *err)
{
    uint64_t len = t->to - t->from;
    char end[2];

    if (len < 4 || len % 4 != 0 || pread(t->fd, end, 2, (off_t)t->to - 2) != 2)
        return malformed(err, "no token");
    *total = len / 4 * 3 - (end[1] == '=') - (end[1] == '=' && end[0] == '=');
    if (*total < TEXT_AT + AES_BLOCK_SIZE + MAC ||
        (*total - TEXT_AT - MAC) % AES_BLOCK_SIZE != 0)
        return malformed(err, "no token");
    return ERR_OK;
}

/* Of the piece, what lies in [from, to) of the token; NULL: nothing. */
static const uint8_t *part(const struct pass *p, uint64_t from, uint64_t to,
                           size_t *len)
{
    uint64_t end = p->at + p->len;

    if (from < p->at)
        from = p->at;
    if (to > end)
        to = end;
    if (from >= to)
        return NULL;
    *len = (size_t)(to - from);
    return p->bytes + (from - p->at);
}

/* --- the two passes --- */

static enum errc check_mac(const uint8_t *key, struct pass *p, struct err *err)
{
    struct hmac_sha256_ctx mac;
    uint8_t want[MAC], got[MAC];
    uint64_t mac_at = p->total - MAC;
    const uint8_t *bytes;
    size_t len, have = 0;

    hmac_sha256_set_key(&mac, FERNET_KEY / 2, key);
    while (more(p)) {
        if (next_piece(p, err))
            return err->code;
        if (p->at == 0 && p->bytes[0] != VERSION)
            return malformed(err, "no token of version 0x80");
        if ((bytes = part(p, 0, mac_at, &len)))
            hmac_sha256_update(&mac, len, bytes);
        if ((bytes = part(p, mac_at, p->total, &len))) {
            memcpy(want + have, bytes, len);
            have += len;
        }
    }
    hmac_sha256_digest(&mac, MAC, got);
    return memeql_sec(want, got, MAC) ? ERR_OK
                                      : malformed(err, "the key does not open it");
}

struct decryption {
    struct CBC_CTX(struct aes128_ctx, AES_BLOCK_SIZE) cbc;
    uint8_t block[AES_BLOCK_SIZE]; /* cut by the end of a piece */
    size_t have;
    uint8_t *plain; /* AES_BLOCK_SIZE more than a piece */
};

/* Whole blocks of the ciphertext to d->plain; returns how many bytes. */
static size_t decrypt_some(struct decryption *d, const uint8_t *bytes, size_t len)
{
    size_t done = 0, whole;

    if (d->have > 0) {
        size_t n = AES_BLOCK_SIZE - d->have < len ? AES_BLOCK_SIZE - d->have : len;

        memcpy(d->block + d->have, bytes, n);
        d->have += n;
        bytes += n;
        len -= n;
        if (d->have < AES_BLOCK_SIZE)
            return 0;
        CBC_DECRYPT(&d->cbc, aes128_decrypt, AES_BLOCK_SIZE, d->plain, d->block);
        done = AES_BLOCK_SIZE;
        d->have = 0;
    }
    whole = len - len % AES_BLOCK_SIZE;
    if (whole > 0)
        CBC_DECRYPT(&d->cbc, aes128_decrypt, whole, d->plain + done, bytes);
    d->have = len - whole;
    memcpy(d->block, bytes + whole, d->have);
    return done + whole;
}

/* The last byte of the last block says how many bytes fill it. */
static enum errc strip_padding(const uint8_t *plain, size_t *len, struct err *err)
{
    size_t pad = *len > 0 ? plain[*len - 1] : 0;

    if (pad == 0 || pad > AES_BLOCK_SIZE || pad > *len)
        return malformed(err, "wrong padding");
    for (size_t i = 1; i <= pad; i++)
        if (plain[*len - i] != pad)
            return malformed(err, "wrong padding");
    *len -= pad;
    return ERR_OK;
}

static enum errc decrypt_all(struct decryption *d, struct pass *p,
                             enum errc (*put)(void *arg, const void *bytes, size_t len,
                                              struct err *err),
                             void *arg, struct err *err)
{
    const uint8_t *bytes;
    uint64_t end = p->total - MAC;
    size_t len;
    enum errc rc = ERR_OK;

    while (!rc && more(p)) {
        rc = next_piece(p, err);
        if (!rc && (bytes = part(p, IV_AT, TEXT_AT, &len)))
            CBC_SET_IV(&d->cbc, bytes); /* the first piece has it whole */
        if (rc || !(bytes = part(p, TEXT_AT, end, &len)))
            continue;
        len = decrypt_some(d, bytes, len);
        if (p->at + p->len >= end)
            rc = strip_padding(d->plain, &len, err);
        if (!rc && len > 0)
            rc = put(arg, d->plain, len, err);
    }
    return rc;
}

enum errc fernet_open(const uint8_t key[FERNET_KEY], const struct fernet_token *token,
                      enum errc (*put)(void *arg, const void *bytes, size_t len,
                                       struct err *err),
                      void *arg, struct err *err)
{
    AUTOFREE char *text = xcalloc(PIECE_TEXT, 1);
    AUTOFREE uint8_t *bytes = xcalloc(PIECE + 1, 1);
    AUTOFREE uint8_t *plain = xcalloc(PIECE + AES_BLOCK_SIZE, 1);
    struct decryption d = {.plain = plain};
    struct pass first = {
        .token = token, .text_at = token->from, .text = text, .bytes = bytes};
    struct pass second;

    if (measure(token, &first.total, err))
        return err->code;
    second = first;
    if (check_mac(key, &first, err))
        return err->code;
    aes128_set_decrypt_key(&d.cbc.ctx, key + FERNET_KEY / 2);
    return decrypt_all(&d, &second, put, arg, err);
}
