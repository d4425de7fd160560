#include <string.h>

#include "base/json.h"
#include "sync/serve/serve_documents.h"

/* Rows looked at: some are of other blocks, or not for others. */
enum { ROWS_MAX = 1024 };

struct telling {
    struct buf *out;
    size_t room, count, most;
    const uint8_t *hash; /* of the block; attestations alone */
    bool own;
};

/* One that does not parse says nothing: the rest is told without it. */
static void tell(struct telling *t, const char *text)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json_limits limits = JSON_LIMITS_SMALL;
    CLEANUP_BUF struct buf one = BUF(t->room);
    struct err err;

    if (t->count >= t->most ||
        json_parse(text, strlen(text), &limits, &doc, &err) != ERR_OK)
        return;
    json_write(json_root(doc), JSON_CANON, &one);
    if (one.full)
        return;
    if (t->count++ > 0)
        buf_puts(t->out, ",");
    buf_put(t->out, one.data, one.len);
    t->room -= one.len;
}

static enum errc tell_attestation(void *arg, const struct control_attestation *a,
                                  struct err *err)
{
    struct telling *t = arg;

    (void)err;
    if (a->own == t->own && memcmp(a->block_hash, t->hash, 32) == 0)
        tell(t, a->document);
    return ERR_OK;
}

enum errc serve_documents_attestations(struct control *c, uint64_t height,
                                       const uint8_t hash[32], size_t *room,
                                       struct buf *out, struct err *err)
{
    struct control_height_filter filter = {
        .has_height = true, .height = height, .own = true, .limit = ROWS_MAX};
    struct telling t = {.out = out,
                        .room = *room,
                        .most = SERVE_ATTESTATIONS_MAX,
                        .hash = hash,
                        .own = true};

    buf_puts(out, "[");
    if (control_attestation_each(c, &filter, tell_attestation, &t, err) != ERR_OK)
        return err->code;
    filter.own = t.own = false;
    if (control_attestation_each(c, &filter, tell_attestation, &t, err) != ERR_OK)
        return err->code;
    *room = t.room;
    buf_puts(out, "]");
    return ERR_OK;
}

static enum errc tell_revocation(void *arg, const struct control_revocation *r,
                                 struct err *err)
{
    (void)err;
    if (r->document)
        tell(arg, r->document);
    return ERR_OK;
}

enum errc serve_documents_revocations(struct control *c, size_t *room, struct buf *out,
                                      struct err *err)
{
    const struct control_height_filter filter = {.limit = ROWS_MAX};
    struct telling t = {.out = out, .room = *room, .most = SERVE_REVOCATIONS_MAX};

    buf_puts(out, "[");
    if (control_revocation_each(c, &filter, tell_revocation, &t, err) != ERR_OK)
        return err->code;
    *room = t.room;
    buf_puts(out, "]");
    return ERR_OK;
}
