#include "base/reason.h"
#include "rpc/audit_export.h"
#include "rpc/methods.h"
#include "rpc/out.h"
#include "sync/incidents_choices.h"

/* What the daemon remembers of itself: the audit log, incidents. */
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

static enum errc add_entry(void *arg, const struct control_audit *a, struct err *err)
{
    cJSON *o = next_on_page(arg, a->seq);

    return o ? audit_export_entry(a, o, err) : ERR_OK;
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

METHODS_HANDLER(audit_head)
{
    struct engine_request req = {.op = ENGINE_AUDIT_HEAD};
    cJSON *answer;

    (void)p;
    if (engine_call(ctx->engine, &req, &answer, err))
        return err->code;
    out_adopt(result, answer);
    return ERR_OK;
}

METHODS_HANDLER(audit_export)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    uint8_t head[32];
    int64_t entries;

    (void)p;
    if (reads_control(ctx->reads, &reader, err) ||
        control_audit_head(reader->control, &entries, head, err))
        return err->code;
    out_text(result, "url", "/api/v1/audit.ndjson");
    out_u64(result, "entries", (uint64_t)entries);
    return ERR_OK;
}

static enum errc add_incident(void *arg, const struct control_incident *i,
                              struct err *err)
{
    cJSON *o = cJSON_CreateObject(), *choices;
    enum reason reason;

    cJSON_AddItemToArray(arg, o);
    out_id(o, "id", i->id);
    out_text(o, "kind", i->kind);
    out_text(o, "subject", i->subject);
    out_time(o, "opened_at", i->opened_ms);
    out_time(o, "resolved_at", i->resolved_ms);
    out_text(o, "hint", reason_find(i->kind, &reason) ? reason_hint(reason) : NULL);
    out_text(o, "resolved_by", i->resolved_by);
    out_text(o, "choice", i->choice);
    out_text(o, "note", i->note);
    choices = cJSON_AddArrayToObject(o, "choices");
    for (const char *const *may = incidents_choices(i->kind); *may; may++)
        cJSON_AddItemToArray(choices, cJSON_CreateString(*may));
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
