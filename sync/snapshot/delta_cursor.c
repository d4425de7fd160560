#include "sync/snapshot/delta_layout.h"
#include "sync/snapshot/snapdir.h"

static enum errc next_chunk(struct delta_cursor *c, struct err *err)
{
    const struct coinpart *part;
    enum errc rc;

    if (c->watch->cancel && atomic_load(c->watch->cancel))
        return err_fail(err, REASON_CANCELLED, "cancelled");
    rc = snapdir_chunk(c->dir, c->chunk++, &c->raw, &part, err);
    if (rc)
        return rc;
    c->at = 0;
    c->bytes = part->bytes;
    if (c->watch->done)
        atomic_fetch_add(c->watch->done, c->bytes);
    return ERR_OK;
}

enum errc delta_cursor_next(struct delta_cursor *c, struct err *err)
{
    c->at += c->len;
    c->len = 0;
    if (c->at == c->bytes) {
        if (c->chunk == chunktable_count(snapdir_table(c->dir))) {
            c->rec = NULL;
            return ERR_OK;
        }
        if (next_chunk(c, err))
            return err->code;
    }
    c->rec = c->raw + c->at;
    c->len = coinrec_length(c->rec, c->bytes - c->at);
    return ERR_OK;
}
