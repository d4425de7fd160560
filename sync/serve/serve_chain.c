#include <string.h>

#include "sync/peer/blocks_wire.h"
#include "sync/peer/headers_wire.h"
#include "sync/serve/rows.h"
#include "sync/serve/serve_chain.h"

enum { HEADER_ROOM = 4096 }; /* a header of either form, and the end */

struct headers {
    struct buf *out;
    bool compact, full;
    struct headers_wire wire;
};

/* Rows have no sum of their own: the hash is one. */
static enum errc check_hash(const struct header *h, struct err *err)
{
    uint8_t hash[32];

    header_hash(h, hash);
    if (memcmp(hash, h->hash, sizeof(hash)) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "header %llu lost its hash",
                        (unsigned long long)h->height);
    return ERR_OK;
}

/* ERR_BUSY ends the walk: there is no room for more. */
static enum errc put_header(void *arg, const struct chaindb_header *row,
                            struct err *err)
{
    struct headers *s = arg;
    struct header h;

    s->full = s->out->max - s->out->len < HEADER_ROOM;
    if (s->full)
        return err_set(err, ERR_BUSY, "enough");
    rows_to_header(row, &h);
    if (check_hash(&h, err) != ERR_OK)
        return err->code;
    if (!s->compact) {
        headers_wire_line(&h, s->out);
        return ERR_OK;
    }
    if (headers_wire_add(&s->wire, &h, s->out, err) != ERR_OK) {
        s->full = s->wire.count > 0; /* the next answer begins with it, and says why */
        return err->code;
    }
    return ERR_OK;
}

enum errc serve_chain_headers(struct reader *r, uint64_t from, size_t count,
                              bool compact, struct buf *out, struct err *err)
{
    struct headers s = {.out = out, .compact = compact};

    if (compact)
        headers_wire_begin(&s.wire, from, out);
    if (chaindb_active_each(r->chain, from, count, put_header, &s, err) != ERR_OK &&
        !s.full)
        return err->code;
    if (compact)
        headers_wire_end(&s.wire, out);
    return ERR_OK;
}

enum errc serve_chain_hash_at(struct reader *r, uint64_t height, bool *found,
                              uint8_t hash[32], struct err *err)
{
    struct chaindb_header h;

    if (chaindb_active_at(r->chain, height, found, &h, err) != ERR_OK)
        return err->code;
    *found = *found && h.has_body;
    if (*found)
        memcpy(hash, h.hash, sizeof(h.hash));
    return ERR_OK;
}

enum errc serve_chain_has(struct reader *r, const uint8_t hash[32], bool *found,
                          struct err *err)
{
    struct chaindb_header h, active;

    if (chaindb_header_get(r->chain, hash, found, &h, err) != ERR_OK)
        return err->code;
    if (*found && chaindb_active_at(r->chain, h.height, found, &active, err) != ERR_OK)
        return err->code;
    *found = *found && h.has_body && memcmp(active.hash, hash, 32) == 0;
    return ERR_OK;
}

enum errc serve_chain_block(struct reader *r, const uint8_t hash[32], struct buf *out,
                            struct err *err)
{
    bool found;

    if (chaindb_body_get(r->chain, hash, &found, out, err) != ERR_OK)
        return err->code;
    return found ? ERR_OK : err_set(err, ERR_NOTFOUND, "no such block");
}

enum errc serve_chain_blocks(struct reader *r, uint64_t from, size_t count,
                             struct buf *out, struct err *err)
{
    uint8_t hash[32];
    bool found;

    for (uint64_t h = from; count > 0 && out->len < BLOCKS_WIRE_TARGET; h++, count--) {
        if (serve_chain_hash_at(r, h, &found, hash, err) != ERR_OK)
            return err->code;
        if (!found)
            break;
        if (serve_chain_block(r, hash, out, err) != ERR_OK)
            return err->code;
        buf_put(out, "\n", 1);
    }
    return ERR_OK;
}
