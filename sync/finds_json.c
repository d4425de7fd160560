#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/core.h"

/* checkpoint.candidates: what peers offer, and what the rules say of it so far. */

static void add_text(cJSON *o, const char *key, const char *text)
{
    if (text[0] != '\0')
        cJSON_AddStringToObject(o, key, text);
    else
        cJSON_AddNullToObject(o, key);
}

/* The rules that need no more than the claims; the rest is "not evaluated". */
static void add_preview(struct engine *e, cJSON *o, const struct find *k)
{
    struct trust_evidence *ev = xcalloc(1, sizeof(*ev));
    struct trust_verdict *v = xcalloc(1, sizeof(*v));
    struct trust_candidate c;
    struct err err;

    ev->why_not_yet = "the job that takes it asks for it";
    ev->now_ms = clock_now_ms();
    verdicts_candidate(&k->meta, k->url, &c);
    if (k->whole && verdicts_past(e, ev, &err) == ERR_OK) {
        trust_evaluate(&c, ev, &e->policy.rules, e->cfg->params, v);
        cJSON_AddItemToObject(o, "preview",
                              trust_verdict_json(v, &c, ev, &e->policy.rules));
    } else {
        cJSON_AddNullToObject(o, "preview");
    }
    free(ev);
    free(v);
}

static cJSON *find_json(struct engine *e, const struct find *k)
{
    cJSON *o = cJSON_CreateObject(), *list;

    cJSON_AddNumberToObject(o, "height", (double)k->meta.height);
    add_text(o, "block_hash", k->meta.block_hash);
    add_text(o, "state_hash", k->meta.state_hash);
    add_text(o, "url", k->url);
    cJSON_AddBoolToObject(o, "body_at_hand", k->payload != NULL);
    list = cJSON_AddArrayToObject(o, "offered_by");
    for (size_t i = 0; i < k->offer_count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(k->offers[i]->url));
    cJSON_AddNumberToObject(o, "networks", (double)k->groups);
    cJSON_AddBoolToObject(o, "refused", k->refused);
    add_text(o, "reason", k->refused ? reason_code(k->reason) : "");
    add_preview(e, o, k);
    return o;
}

cJSON *finds_json(struct engine *e)
{
    cJSON *o = cJSON_CreateObject(), *list;
    size_t peers, networks;

    finds_refresh(e);
    finds_reach(e, &peers, &networks);
    cJSON_AddBoolToObject(o, "asking", e->finds.ends_at_mono_ms != 0);
    cJSON_AddNumberToObject(o, "peers", (double)peers);
    cJSON_AddNumberToObject(o, "networks", (double)networks);
    add_text(o, "configured_url", e->cfg->checkpoint_url);
    list = cJSON_AddArrayToObject(o, "candidates");
    for (size_t i = 0; i < e->finds.count; i++)
        cJSON_AddItemToArray(list, find_json(e, e->finds.all[i]));
    return o;
}
