#include "base/reason.h"
#include "rpc/methods.h"
#include "rpc/out.h"

/* What the daemon remembers: rejections, the audit log, incidents. */
struct page {
    cJSON *list;
    size_t room;
    bool more;
    int64_t last;
};

/* A new object at the page's end, or NULL when it is full. */
static cJSON *next_on_page(struct page *page, int64_t id)
{
    cJSON *o;

    if (page->room == 0) {
        page->more = true;
        return NULL;
    }
    page->room--;
    page->last = id;
    o = cJSON_CreateObject();
    cJSON_AddItemToArray(page->list, o);
    return o;
}

/* The rules out of a stored verdict; null when it has none. */
static void add_rules(cJSON *o, const char *verdict)
{
    cJSON *doc = cJSON_Parse(verdict);
    cJSON *rules = cJSON_DetachItemFromObjectCaseSensitive(doc, "rules");

    cJSON_AddItemToObject(o, "rules", rules ? rules : cJSON_CreateNull());
    cJSON_Delete(doc);
}

static enum errc add_rejection(void *arg, const struct control_rejection *r,
                               struct err *err)
{
    cJSON *o = next_on_page(arg, r->id);

    if (!o)
        return ERR_OK;
    out_id(o, "id", r->id);
    out_time(o, "at", r->at_ms);
    if (r->has_height)
        out_u64(o, "height", r->height);
    else
        cJSON_AddNullToObject(o, "height");
    out_text(o, "block_hash", r->block_hash);
    out_text(o, "state_hash", r->state_hash);
    out_text(o, "source", r->source);
    if (out_document(o, "peers", r->peers, err))
        return err->code;
    out_text(o, "reason", r->reason);
    add_rules(o, r->verdict);
    return ERR_OK;
}

METHODS_HANDLER(rejections_list)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct page page = {.room = p->limit.value};
    struct control_rejection_filter filter = {
        .before_id = p->cursor,
        .since_ms = p->since,
        .reason = p->reason,
        .peer = p->peer,
        .has_height = p->height.given,
        .height = p->height.value,
        .limit = p->limit.value + 1,
    };
    enum reason known;

    if (p->reason && !reason_find(p->reason, &known))
        return err_set(err, ERR_INVALID, "reason: a reason code expected");
    page.list = cJSON_AddArrayToObject(result, "rejections");
    if (reads_control(ctx->reads, &reader, err) ||
        control_rejection_each(reader->control, &filter, add_rejection, &page, err))
        return err->code;
    out_cursor(result, "next", page.more ? page.last : 0);
    return ERR_OK;
}

static enum errc add_entry(void *arg, const struct control_audit *a, struct err *err)
{
    cJSON *o = next_on_page(arg, a->seq);

    if (!o)
        return ERR_OK;
    out_id(o, "seq", a->seq);
    out_time(o, "at", a->at_ms);
    out_text(o, "kind", a->kind);
    if (out_document(o, "body", a->body, err))
        return err->code;
    out_hash(o, "prev", a->prev);
    out_hash(o, "hash", a->hash);
    return ERR_OK;
}

METHODS_HANDLER(audit_list)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct page page = {.room = p->limit.value};

    page.list = cJSON_AddArrayToObject(result, "entries");
    if (reads_control(ctx->reads, &reader, err) ||
        control_audit_each(reader->control, (int64_t)p->after.value, p->limit.value + 1,
                           add_entry, &page, err))
        return err->code;
    out_id(result, "next", page.more ? page.last : 0);
    return ERR_OK;
}

METHODS_HANDLER(audit_verify)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct control_audit_check check;

    (void)p;
    if (reads_control(ctx->reads, &reader, err) ||
        control_audit_verify(reader->control, &check, err))
        return err->code;
    cJSON_AddBoolToObject(result, "ok", check.ok);
    out_u64(result, "entries", (uint64_t)check.entries);
    out_hash(result, "head", check.head);
    out_id(result, "first_bad", check.first_bad);
    out_text(result, "what", check.ok ? NULL : check.what);
    return ERR_OK;
}

static enum errc add_incident(void *arg, const struct control_incident *i,
                              struct err *err)
{
    cJSON *o = cJSON_CreateObject();
    enum reason reason;

    cJSON_AddItemToArray(arg, o);
    out_id(o, "id", i->id);
    out_text(o, "kind", i->kind);
    out_text(o, "subject", i->subject);
    out_time(o, "opened_at", i->opened_ms);
    out_time(o, "resolved_at", i->resolved_ms);
    out_text(o, "hint", reason_find(i->kind, &reason) ? reason_hint(reason) : NULL);
    return out_document(o, "evidence", i->evidence, err);
}

METHODS_HANDLER(incidents_list)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    cJSON *list = cJSON_AddArrayToObject(result, "incidents");

    if (reads_control(ctx->reads, &reader, err))
        return err->code;
    return control_incident_each(reader->control, false, p->limit.value, add_incident,
                                 list, err);
}
