#include "base/reason.h"
#include "rpc/methods.h"
#include "rpc/out.h"

/* Checkpoints that were refused. */
/* Anybody can be a source: those most often refused. */
enum { SOURCES_MAX = 100 };

struct page {
    cJSON *list;
    size_t room;
    bool more;
    int64_t last;
};

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
    struct page *page = arg;
    cJSON *o;

    if (page->room == 0) {
        page->more = true;
        return ERR_OK;
    }
    page->room--;
    page->last = r->id;
    o = cJSON_CreateObject();
    cJSON_AddItemToArray(page->list, o);
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

struct tally {
    cJSON *list;
    const char *member; /* what the counts are by */
    uint64_t total;
};

static enum errc add_count(void *arg, const char *what, uint64_t count, struct err *err)
{
    struct tally *tally = arg;
    cJSON *o = cJSON_CreateObject();

    (void)err;
    cJSON_AddItemToArray(tally->list, o);
    out_text(o, tally->member, what);
    out_u64(o, "count", count);
    tally->total += count;
    return ERR_OK;
}

METHODS_HANDLER(rejections_stats)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct control_rejection_tally by = {.since_ms = p->since, .limit = SIZE_MAX};
    struct tally reasons = {.list = cJSON_CreateArray(), .member = "reason"};
    struct tally sources = {.list = cJSON_CreateArray(), .member = "source"};

    cJSON_AddItemToObject(result, "by_reason", reasons.list);
    cJSON_AddItemToObject(result, "by_source", sources.list);
    if (reads_control(ctx->reads, &reader, err) ||
        control_rejection_count(reader->control, &by, add_count, &reasons, err))
        return err->code;
    by = (struct control_rejection_tally){
        .by_source = true, .since_ms = p->since, .limit = SOURCES_MAX};
    if (control_rejection_count(reader->control, &by, add_count, &sources, err))
        return err->code;
    out_u64(result, "total", reasons.total);
    return ERR_OK;
}
