#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "rpc/audit_export.h"
#include "rpc/out.h"

/* Bodies are verdicts and evidence, bounded where they are made. */
enum { ENTRIES_AT_ONCE = 16, LINES_MAX = 64 << 20 };

struct audit_export {
    struct reads *reads;
    int64_t done, last; /* seq */
    struct buf lines;
    size_t given; /* of lines */
};

enum errc audit_export_entry(const struct control_audit *a, cJSON *o, struct err *err)
{
    out_id(o, "seq", a->seq);
    out_time(o, "at", a->at_ms);
    out_text(o, "kind", a->kind);
    if (out_document(o, "body", a->body, err))
        return err->code;
    out_hash(o, "prev", a->prev);
    out_hash(o, "hash", a->hash);
    return ERR_OK;
}

enum errc audit_export_open(struct reads *reads, struct audit_export **out,
                            struct err *err)
{
    CLEANUP(audit_export_free) struct audit_export *x = xcalloc(1, sizeof(*x));
    CLEANUP(reader_release) struct reader *reader = NULL;
    uint8_t head[32];

    x->reads = reads;
    x->lines = BUF(LINES_MAX);
    if (reads_control(reads, &reader, err) ||
        control_audit_head(reader->control, &x->last, head, err))
        return err->code;
    *out = TAKE(x);
    return ERR_OK;
}

void audit_export_free(struct audit_export *x)
{
    if (!x)
        return;
    buf_fini(&x->lines);
    free(x);
}

static enum errc add_line(void *arg, const struct control_audit *a, struct err *err)
{
    struct audit_export *x = arg;
    cJSON *o;
    char *text;
    enum errc rc;

    if (a->seq > x->last)
        return ERR_OK; /* it came since */
    o = cJSON_CreateObject();
    rc = audit_export_entry(a, o, err);
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    buf_puts(&x->lines, text);
    buf_puts(&x->lines, "\n");
    cJSON_free(text);
    x->done = a->seq;
    if (!rc && x->lines.full)
        rc = err_fail(err, REASON_STORAGE_CORRUPT, "audit entry %lld is too long",
                      (long long)a->seq);
    return rc;
}

static enum errc refill(struct audit_export *x, struct err *err)
{
    CLEANUP(reader_release) struct reader *reader = NULL;

    buf_reset(&x->lines);
    x->given = 0;
    if (x->done >= x->last)
        return ERR_OK;
    if (reads_control(x->reads, &reader, err))
        return err->code;
    return control_audit_each(reader->control, x->done, ENTRIES_AT_ONCE, add_line, x,
                              err);
}

enum errc audit_export_read(struct audit_export *x, char *out, size_t room, size_t *len,
                            struct err *err)
{
    size_t n;

    if (x->given == x->lines.len && refill(x, err))
        return err->code;
    n = x->lines.len - x->given;
    if (n > room)
        n = room;
    if (n > 0)
        memcpy(out, x->lines.data + x->given, n);
    x->given += n;
    *len = n;
    return ERR_OK;
}
