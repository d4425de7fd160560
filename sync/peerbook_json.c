#include <string.h>

#include "base/clock.h"
#include "sync/core.h"

/* How peers are shown: those in use, and those that are banned. */

static void add_text(cJSON *o, const char *key, const char *text)
{
    if (text && text[0] != '\0')
        cJSON_AddStringToObject(o, key, text);
    else
        cJSON_AddNullToObject(o, key);
}

static void add_time(cJSON *o, const char *key, int64_t ms)
{
    char when[CLOCK_TEXT] = "";

    if (ms > 0)
        clock_text(ms, when);
    add_text(o, key, when);
}

static void add_as(cJSON *o, uint32_t number)
{
    if (number != 0)
        cJSON_AddNumberToObject(o, "as", number);
    else
        cJSON_AddNullToObject(o, "as");
}

static void add_ban(cJSON *o, int64_t until_ms, enum reason reason,
                    const char *evidence)
{
    bool banned = until_ms > clock_now_ms();

    add_time(o, "banned_until", banned ? until_ms : 0);
    add_text(o, "ban_reason", banned ? reason_code(reason) : NULL);
    add_text(o, "ban_evidence", banned ? evidence : NULL);
}

static void add_serves(cJSON *o, const struct peer *p)
{
    cJSON *list = cJSON_AddArrayToObject(o, "serves");

    if (p && p->serves_headers)
        cJSON_AddItemToArray(list, cJSON_CreateString("headers"));
    if (p && p->serves_blocks)
        cJSON_AddItemToArray(list, cJSON_CreateString("blocks"));
}

static cJSON *begin(const char *url, enum peer_kind kind, enum peer_origin origin,
                    bool in_use)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "address", url);
    cJSON_AddStringToObject(o, "kind", peer_kind_name(kind));
    cJSON_AddStringToObject(o, "origin", peer_origin_name(origin));
    cJSON_AddBoolToObject(o, "in_use", in_use);
    return o;
}

static cJSON *used_json(const struct peer *p)
{
    cJSON *o = begin(p->url, p->kind, p->origin, true);

    add_text(o, "identity", p->identity);
    add_text(o, "ip", p->ip);
    add_text(o, "network_group", p->group);
    add_as(o, p->as_number);
    cJSON_AddBoolToObject(o, "connected", p->conn != 0);
    cJSON_AddBoolToObject(o, "cairn", p->cairn);
    add_serves(o, p);
    cJSON_AddBoolToObject(o, "usable", peer_usable(p, clock_mono_ms(), clock_now_ms()));
    if (p->has_tip)
        cJSON_AddNumberToObject(o, "height", (double)p->tip_height);
    else
        cJSON_AddNullToObject(o, "height");
    cJSON_AddNumberToObject(o, "score", p->score);
    cJSON_AddNumberToObject(o, "latency_ms", p->latency_ms);
    cJSON_AddNumberToObject(o, "requests", (double)p->requests);
    cJSON_AddNumberToObject(o, "bytes", (double)p->bytes);
    cJSON_AddNumberToObject(o, "faults", (double)p->faults);
    add_time(o, "last_good", p->last_good_ms);
    add_text(o, "last_error", p->last_error);
    add_ban(o, p->banned_until_ms, p->ban_reason, p->ban_evidence);
    return o;
}

/* Of one that is not in use: what is remembered, in the same shape. */
static cJSON *known_json(const struct book_entry *entry)
{
    cJSON *o = begin(entry->url, entry->kind, entry->origin, false);

    add_text(o, "identity", entry->identity);
    add_text(o, "ip", entry->ip);
    add_text(o, "network_group", entry->place.group);
    add_as(o, entry->place.as_number);
    cJSON_AddBoolToObject(o, "connected", false);
    cJSON_AddBoolToObject(o, "cairn", false);
    add_serves(o, NULL);
    cJSON_AddBoolToObject(o, "usable", false);
    cJSON_AddNullToObject(o, "height");
    cJSON_AddNumberToObject(o, "score", entry->score);
    cJSON_AddNumberToObject(o, "latency_ms", 0);
    cJSON_AddNumberToObject(o, "requests", 0);
    cJSON_AddNumberToObject(o, "bytes", 0);
    cJSON_AddNumberToObject(o, "faults", (double)entry->faults);
    add_time(o, "last_good", entry->last_good_ms);
    add_text(o, "last_error", NULL);
    add_ban(o, entry->banned_until_ms, entry->ban_reason, entry->ban_evidence);
    return o;
}

cJSON *peerbook_json_one(struct engine *e, const struct book_entry *entry)
{
    for (size_t i = 0; i < peers_count(e->peers); i++)
        if (peers_at(e->peers, i)->entry == entry)
            return used_json(peers_at(e->peers, i));
    return known_json(entry);
}

cJSON *peerbook_json(struct engine *e)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(result, "peers");
    int64_t now = clock_now_ms();

    for (size_t i = 0; i < peers_count(e->peers); i++)
        cJSON_AddItemToArray(list, used_json(peers_at(e->peers, i)));
    for (size_t i = 0; i < book_count(e->book); i++) {
        const struct book_entry *entry = book_at(e->book, i);

        if (!entry->in_use && entry->banned_until_ms > now)
            cJSON_AddItemToArray(list, known_json(entry));
    }
    cJSON_AddNumberToObject(result, "known", (double)book_count(e->book));
    return result;
}
