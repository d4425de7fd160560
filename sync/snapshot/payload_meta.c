#include <stdio.h>

#include "sync/snapshot/payload_fields.h"
#include "sync/snapshot/payload_walk.h"

static enum errc read_top(const struct payload_walk *w, struct payload_meta *out,
                          struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    enum errc rc = payload_members_parse(&w->top, &doc, err);

    if (!rc)
        payload_fields_read(json_root(doc), out);
    return rc;
}

enum errc payload_meta_read(const char *path, struct payload_meta *out, struct err *err)
{
    const struct payload_source src = {.path = path, .max_bytes = UINT64_MAX};
    struct payload_walk w;
    const struct payload_sink sink = {payload_walk_event, &w};
    uint64_t bytes;
    enum errc rc;

    payload_walk_init(&w);
    rc = payload_stream(&src, &sink, &bytes, err);
    if (!rc)
        rc = read_top(&w, out, err);
    payload_walk_fini(&w);
    return rc;
}

enum errc payload_meta_text(const char *text, size_t len, struct payload_meta *out,
                            struct err *err)
{
    struct payload_walk w;
    const struct payload_sink sink = {payload_walk_event, &w};
    CLEANUP(payload_parser_free)
    struct payload_parser *p = payload_parser_create(&sink);
    enum errc rc;

    payload_walk_init(&w);
    rc = payload_parser_feed(p, text, len, err);
    if (!rc)
        rc = payload_parser_finish(p, err);
    if (!rc)
        rc = read_top(&w, out, err);
    payload_walk_fini(&w);
    return rc;
}
