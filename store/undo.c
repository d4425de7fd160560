#include <string.h>

#include "base/hash.h"
#include "store/bytes.h"
#include "store/coinrec.h"
#include "store/undo.h"

/* An entry: 'S', made_height big-endian, a coin file record; or 'M' and a key. */

enum errc undo_put(struct buf *b, const struct undo_entry *e, struct err *err)
{
    uint8_t bytes[1 + 8 + COINREC_MAX];
    size_t len = 0;
    u128 atto;

    bytes[0] = e->spent ? 'S' : 'M';
    if (e->spent) {
        enum errc rc = coinrec_encode(&e->coin, bytes + 9, &len, &atto, err);

        if (rc)
            return rc;
        bytes_put_be64(bytes + 1, e->made_height);
        len += 9;
    } else {
        coinrec_key(&e->coin.at, bytes + 1);
        len = 1 + COINREC_KEY;
    }
    buf_put(b, bytes, len);
    return ERR_OK;
}

enum errc undo_seal(struct buf *b, struct err *err)
{
    uint8_t sha[32];

    hash_sha256(b->len > 0 ? b->data : "", b->len, sha);
    buf_put(b, sha, sizeof(sha));
    if (b->full)
        return err_fail(err, REASON_INTERNAL, "undo record is too large");
    return ERR_OK;
}

static enum errc malformed(struct err *err)
{
    return err_fail(err, REASON_STORAGE_CORRUPT, "undo record is malformed");
}

enum errc undo_open(const void *bytes, size_t len, struct undo_cursor *out,
                    struct err *err)
{
    const uint8_t *p = bytes;
    uint8_t sha[32];

    if (!p || len < sizeof(sha))
        return malformed(err);
    hash_sha256(p, len - sizeof(sha), sha);
    if (memcmp(sha, p + len - sizeof(sha), sizeof(sha)) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "undo record lost its hash");
    *out = (struct undo_cursor){.at = p, .end = p + len - sizeof(sha)};
    return ERR_OK;
}

enum errc undo_next(struct undo_cursor *c, bool *more, struct undo_entry *out,
                    struct err *err)
{
    size_t avail = (size_t)(c->end - c->at), len;
    u128 atto;

    *more = avail > 0;
    if (!*more)
        return ERR_OK;
    *out = (struct undo_entry){.spent = c->at[0] == 'S'};
    if (out->spent) {
        len = avail > 9 ? coinrec_check(c->at + 9, avail - 9, &atto) : 0;
        if (len == 0)
            return malformed(err);
        out->made_height = bytes_be64(c->at + 1);
        coinrec_decode(c->at + 9, &out->coin);
        c->at += 9 + len;
        return ERR_OK;
    }
    if (c->at[0] != 'M' || avail < 1 + COINREC_KEY)
        return malformed(err);
    memcpy(out->coin.at.txid, c->at + 1, 32);
    out->coin.at.vout = bytes_be32(c->at + 33);
    c->at += 1 + COINREC_KEY;
    return ERR_OK;
}
