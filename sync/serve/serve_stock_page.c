#include <inttypes.h>

#include "sync/peer/headers_wire.h"
#include "sync/serve/rows.h"
#include "sync/serve/serve_chain.h"
#include "sync/serve/serve_stock.h"

enum { PAGE_TARGET = 4 << 20 };

static void put_bare(const struct chaindb_header *row, struct buf *out)
{
    struct header h;

    rows_to_header(row, &h);
    headers_wire_line(&h, out);
    if (!out->full)
        out->data[--out->len] = '\0'; /* the line's end */
}

/* *found false: not even headers go that far down. */
static enum errc put_entry(struct reader *r, uint64_t height, bool comma, bool *found,
                           struct buf *out, struct err *err)
{
    struct chaindb_header row;

    if (chaindb_active_at(r->chain, height, found, &row, err) != ERR_OK)
        return err->code;
    if (!*found)
        return ERR_OK;
    if (comma)
        buf_puts(out, ",");
    if (row.has_body)
        return serve_chain_block(r, row.hash, out, err);
    put_bare(&row, out);
    return ERR_OK;
}

enum errc serve_stock_page(struct reader *r, uint64_t limit, uint64_t offset,
                           struct buf *out, struct err *err)
{
    struct state_tip tip;
    bool found = true;

    if (state_get_tip(r->state, &tip, err) != ERR_OK)
        return err->code;
    buf_puts(out, "{\"blocks\":[");
    for (uint64_t i = 0; i < limit && offset <= tip.height && i <= tip.height - offset;
         i++) {
        if (put_entry(r, tip.height - offset - i, i > 0, &found, out, err) != ERR_OK)
            return err->code;
        if (!found || out->len > PAGE_TARGET)
            break;
    }
    buf_printf(
        out, "],\"limit\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"total\":%" PRIu64 "}\n",
        limit, offset, tip.height + 1);
    return ERR_OK;
}
