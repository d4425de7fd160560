#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sync/core.h"

/* What operators do to peers: each with its audit entry, in one transaction. */

struct act {
    struct engine *e;
    const struct engine_request *req;
    char url[URL_MAX];        /* normalised */
    struct book_entry *entry; /* NULL: not known */
    struct peer *peer;        /* in use; NULL */
};

static const char *name_of(enum engine_op op)
{
    if (op == ENGINE_PEERS_ADD)
        return "peers.add";
    if (op == ENGINE_PEERS_REMOVE)
        return "peers.remove";
    return op == ENGINE_PEERS_BAN ? "peers.ban" : "peers.unban";
}

static enum errc note(const struct act *a, struct err *err)
{
    const struct engine_request *req = a->req;
    cJSON *o = cJSON_CreateObject();
    char *text;
    enum errc rc;

    cJSON_AddStringToObject(o, "act", name_of(req->op));
    cJSON_AddStringToObject(o, "actor", req->actor ? req->actor : "operator");
    cJSON_AddStringToObject(o, "peer", a->url);
    if (req->op == ENGINE_PEERS_BAN)
        cJSON_AddNumberToObject(o, "seconds", (double)req->ban_seconds);
    if (req->reason)
        cJSON_AddStringToObject(o, "reason", req->reason);
    text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    rc = control_audit_append(a->e->control, clock_now_ms(), "admin_act", text, err);
    cJSON_free(text);
    return rc;
}

static struct peer *peer_of(struct engine *e, const struct book_entry *entry)
{
    for (size_t i = 0; entry && i < peers_count(e->peers); i++)
        if (peers_at(e->peers, i)->entry == entry)
            return peers_at(e->peers, i);
    return NULL;
}

/* --- may it be done? --- */

static enum errc may_add(const struct act *a, struct err *err)
{
    if (url_is_ws(a->url) && !a->e->cfg->p2p_enabled)
        return err_set(err, ERR_CONFLICT, "%.100s: p2p.enabled is false", a->url);
    if (a->entry &&
        (a->entry->origin == PEER_CONFIGURED || a->entry->origin == PEER_OPERATOR))
        return err_set(err, ERR_CONFLICT, "%.100s is a peer already", a->url);
    if (!a->peer && peers_count(a->e->peers) == PEERS_MAX)
        return err_set(err, ERR_BUSY, "at most %d peers", PEERS_MAX);
    return ERR_OK;
}

static enum errc may_remove(const struct act *a, struct err *err)
{
    if (!a->entry && !a->peer)
        return err_set(err, ERR_NOTFOUND, "%.100s is not known", a->url);
    if (a->entry && a->entry->origin == PEER_CONFIGURED)
        return err_set(err, ERR_CONFLICT,
                       "%.100s is in the configuration: take it out there, or ban it",
                       a->url);
    return ERR_OK;
}

static enum errc may_unban(const struct act *a, struct err *err)
{
    const struct book_entry *ban =
        book_banned(a->e->book, a->url, a->entry ? a->entry->ip : NULL,
                    a->entry ? a->entry->identity : NULL, clock_now_ms());

    if (!ban)
        return err_set(err, ERR_NOTFOUND, "%.100s is not banned", a->url);
    return ERR_OK;
}

static enum errc may(const struct act *a, struct err *err)
{
    if (a->req->op == ENGINE_PEERS_ADD)
        return may_add(a, err);
    if (a->req->op == ENGINE_PEERS_REMOVE)
        return may_remove(a, err);
    return a->req->op == ENGINE_PEERS_UNBAN ? may_unban(a, err) : ERR_OK;
}

/* --- doing it --- */

static enum errc know(struct act *a, enum peer_origin origin, struct err *err)
{
    struct book_advert advert = {.url = a->url, .origin = origin};

    groups_of_url(a->e->groups, a->url, &advert.place);
    if (book_add(a->e->book, &advert, clock_now_ms(), &a->entry) == BOOK_FULL)
        return err_set(err, ERR_BUSY, "no more than %d addresses can be known",
                       BOOK_MAX);
    return ERR_OK;
}

static enum errc add(struct act *a, struct err *err)
{
    struct roster r = peerbook_roster(a->e);

    if (know(a, PEER_OPERATOR, err) != ERR_OK)
        return err->code;
    if (!a->peer && roster_take(&r, a->entry, clock_now_ms(), &a->peer, err) != ERR_OK)
        return err->code;
    a->peer->origin = PEER_OPERATOR;
    a->peer->hostile = false;
    a->peer->backoff_until_mono_ms = 0;
    return ERR_OK;
}

/* A ban outlives the removal: nobody gets rid of one by being forgotten. */
static void drop(struct act *a)
{
    struct roster r = peerbook_roster(a->e);
    int64_t now = clock_now_ms();

    if (a->peer) {
        links_drop(a->e, a->peer);
        roster_release(&r, a->peer, now);
    }
    a->entry = book_find(a->e->book, a->url);
    if (a->entry && a->entry->banned_until_ms > now) {
        a->entry->origin = PEER_ADVERTISED;
        a->entry->changed = true;
    } else if (a->entry) {
        book_remove(a->e->book, a->entry);
    }
    a->entry = NULL;
}

static enum errc ban(struct act *a, struct err *err)
{
    const char *why = a->req->reason ? a->req->reason : "by an operator";
    int64_t now = clock_now_ms(), ms = (int64_t)a->req->ban_seconds * 1000;
    const struct roster r = peerbook_roster(a->e);

    if (!a->entry && know(a, PEER_ADVERTISED, err) != ERR_OK)
        return err->code;
    if (a->peer)
        peer_ban(a->peer, ms, why, now);
    book_set_ban(a->e->book, a->entry, now + ms, REASON_PEER_BANNED_BY_OPERATOR, why,
                 now);
    roster_ban_identity(&r, a->entry->identity, now);
    return ERR_OK;
}

static void pardon(struct engine *e, struct book_entry *entry)
{
    struct peer *p = peer_of(e, entry);

    entry->bans = 0;
    book_set_ban(e->book, entry, 0, REASON_NONE, "", clock_now_ms());
    if (p)
        peer_unban(p);
}

/* And all that are banned with it: its other URLs, whoever has its identity. */
static void unban(struct act *a)
{
    struct engine *e = a->e;
    struct book_entry *entry = a->entry;
    const struct book_entry *other;

    if (entry)
        pardon(e, entry);
    while ((other = book_banned(e->book, a->url, entry ? entry->ip : NULL,
                                entry ? entry->identity : NULL, clock_now_ms())))
        pardon(e, book_find(e->book, other->url));
}

static enum errc carry_out(struct act *a, struct err *err)
{
    enum errc rc = ERR_OK;

    if (a->req->op == ENGINE_PEERS_ADD)
        rc = add(a, err);
    else if (a->req->op == ENGINE_PEERS_REMOVE)
        drop(a);
    else if (a->req->op == ENGINE_PEERS_BAN)
        rc = ban(a, err);
    else
        unban(a);
    return rc;
}

static enum errc record(struct act *a, struct err *err)
{
    struct control *c = a->e->control;

    if (control_begin(c, err) != ERR_OK)
        return err->code;
    if (note(a, err) == ERR_OK && carry_out(a, err) == ERR_OK &&
        peerbook_write(a->e, err) == ERR_OK && control_commit(c, err) == ERR_OK)
        return ERR_OK;
    control_rollback(c);
    return err->code;
}

enum errc peer_acts_call(struct engine *e, const struct engine_request *req,
                         cJSON **result, struct err *err)
{
    struct act a = {.e = e, .req = req};
    cJSON *o;

    if (url_normalise_base(req->peer, a.url, err) != ERR_OK)
        return err_wrap(err, "peer");
    a.entry = book_find(e->book, a.url);
    a.peer = peers_find(e->peers, a.url);
    if (a.peer && a.peer->entry)
        a.entry = a.peer->entry;
    if (may(&a, err) != ERR_OK || record(&a, err) != ERR_OK)
        return err->code;
    log_info("peer changed", KV_S("act", name_of(req->op)), KV_S("peer", a.url),
             KV_S("actor", req->actor ? req->actor : "operator"));
    o = cJSON_CreateObject();
    if (req->op == ENGINE_PEERS_REMOVE)
        cJSON_AddStringToObject(o, "removed", a.url);
    else if (a.entry)
        cJSON_AddItemToObject(o, "peer", peerbook_json_one(e, a.entry));
    else
        cJSON_AddNullToObject(o, "peer");
    *result = o;
    return ERR_OK;
}
