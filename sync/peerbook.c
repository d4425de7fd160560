#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/core.h"

/* The peers of the configuration, what is kept of them, and how they are shown. */

size_t peerbook_index(struct engine *e, const struct peer *p)
{
    (void)e;
    return p->slot;
}

static enum errc load_peer(void *arg, const struct control_peer *row, struct err *err)
{
    struct engine *e = arg;
    struct peer *p = peers_find(e->peers, row->url);

    (void)err;
    if (!p)
        return ERR_OK; /* no longer configured */
    p->score = row->score;
    p->faults = row->faults;
    e->faults_saved[peerbook_index(e, p)] = row->faults;
    p->banned_until_ms = row->banned_until_ms;
    if (row->ban_reason)
        (void)reason_find(row->ban_reason, &p->ban_reason);
    if (row->ban_evidence)
        (void)snprintf(p->ban_evidence, sizeof(p->ban_evidence), "%s",
                       row->ban_evidence);
    return ERR_OK;
}

enum errc peerbook_load(struct engine *e, struct err *err)
{
    e->peers = peers_create();
    for (const char *const *url = e->cfg->peers; url && *url; url++) {
        struct peer *p;

        if (peers_add(e->peers, *url, PEER_CONFIGURED, &p, err) &&
            err->code != ERR_CONFLICT)
            return err_wrap(err, "peers");
    }
    return control_peer_each(e->control, load_peer, e, err);
}

static enum errc save_one(struct engine *e, const struct peer *p, struct err *err)
{
    AUTOFREE char *url = xstrdup(p->url);
    AUTOFREE char *reason = xstrdup(reason_code(p->ban_reason));
    AUTOFREE char *evidence = xstrdup(p->ban_evidence);
    struct control_peer row = {.url = url,
                               .score = p->score,
                               .faults = p->faults,
                               .banned_until_ms = p->banned_until_ms};

    if (p->banned_until_ms > 0) {
        row.ban_reason = reason;
        row.ban_evidence = evidence;
    }
    return control_peer_put(e->control, &row, err);
}

/* Faults are rare and written as they happen; scores ride along. */
void peerbook_save(struct engine *e)
{
    struct err err;

    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);

        if (p->faults == e->faults_saved[p->slot])
            continue;
        e->faults_saved[p->slot] = p->faults;
        if (save_one(e, p, &err))
            log_warn("peer not saved, ignoring", KV_S("peer", p->url),
                     KV_S("detail", err.msg));
    }
}

static void add_text(cJSON *o, const char *key, const char *text)
{
    if (text && text[0] != '\0')
        cJSON_AddStringToObject(o, key, text);
    else
        cJSON_AddNullToObject(o, key);
}

static void add_ban(cJSON *o, const struct peer *p, int64_t now)
{
    bool banned = p->banned_until_ms > now;
    char when[CLOCK_TEXT] = "";

    if (banned)
        clock_text(p->banned_until_ms, when);
    add_text(o, "banned_until", when);
    add_text(o, "ban_reason", banned ? reason_code(p->ban_reason) : NULL);
    add_text(o, "ban_evidence", banned ? p->ban_evidence : NULL);
}

static cJSON *one_json(const struct peer *p, int64_t mono, int64_t now)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "address", p->url);
    cJSON_AddStringToObject(o, "kind", "stock_http");
    add_text(o, "network_group", p->group);
    cJSON_AddNullToObject(o, "as");
    cJSON_AddBoolToObject(o, "usable", peer_usable(p, mono, now));
    if (p->has_tip)
        cJSON_AddNumberToObject(o, "height", (double)p->tip_height);
    else
        cJSON_AddNullToObject(o, "height");
    cJSON_AddNumberToObject(o, "score", p->score);
    cJSON_AddNumberToObject(o, "latency_ms", p->latency_ms);
    cJSON_AddNumberToObject(o, "requests", (double)p->requests);
    cJSON_AddNumberToObject(o, "bytes", (double)p->bytes);
    cJSON_AddNumberToObject(o, "faults", (double)p->faults);
    add_text(o, "last_error", p->last_error);
    add_ban(o, p, now);
    return o;
}

cJSON *peerbook_json(struct engine *e)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(result, "peers");

    for (size_t i = 0; i < peers_count(e->peers); i++)
        cJSON_AddItemToArray(
            list, one_json(peers_at(e->peers, i), clock_mono_ms(), clock_now_ms()));
    return result;
}
