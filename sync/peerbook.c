#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/core.h"

/* The known addresses and control.db. */

enum { WRITE_EVERY_MS = 10 * 1000 }; /* what nobody would miss after a crash */

size_t peerbook_index(struct engine *e, const struct peer *p)
{
    (void)e;
    return p->slot;
}

struct roster peerbook_roster(const struct engine *e)
{
    return (struct roster){.peers = e->peers, .book = e->book, .groups = e->groups};
}

/* --- at start --- */

static enum errc add_configured(struct engine *e, struct err *err)
{
    int64_t now = clock_now_ms();

    for (const char *const *url = e->cfg->peers; url && *url; url++) {
        struct book_advert a = {.origin = PEER_CONFIGURED};
        char base[URL_MAX];

        if (url_normalise_base(*url, base, err) != ERR_OK)
            return err_wrap(err, "peers");
        a.url = base;
        groups_of_url(e->groups, base, &a.place);
        (void)book_add(e->book, &a, now, NULL); /* KNOWN: listed twice */
    }
    return ERR_OK;
}

static void fill_entry(struct engine *e, struct book_entry *entry,
                       const struct control_peer *row)
{
    struct groups_place place;

    entry->score = row->score;
    entry->faults = row->faults;
    entry->tries = row->tries;
    entry->tried_ms = row->tried_ms;
    entry->last_good_ms = row->last_good_ms;
    entry->bans = row->bans;
    if (row->ip && groups_of(e->groups, row->ip, &place))
        book_set_address(e->book, entry, row->ip, &place);
    if (row->identity)
        book_set_identity(e->book, entry, row->identity);
    if (row->banned_until_ms > 0) {
        enum reason reason = REASON_NONE;

        if (row->ban_reason)
            (void)reason_find(row->ban_reason, &reason);
        book_set_ban(e->book, entry, row->banned_until_ms, reason,
                     row->ban_evidence ? row->ban_evidence : "", clock_now_ms());
    }
    entry->saved = true;
    entry->changed = false;
}

/* Whom the configuration names no longer is forgotten, but for its ban. */
static enum errc load_peer(void *arg, const struct control_peer *row, struct err *err)
{
    struct engine *e = arg;
    struct book_entry *entry = book_find(e->book, row->url);
    int64_t now = clock_now_ms();
    bool banned = row->banned_until_ms > now, unnamed;
    struct book_advert a = {.url = row->url, .source = row->source};

    (void)err;
    unnamed = !peer_origin_find(row->origin, &a.origin) || a.origin == PEER_CONFIGURED;
    if (unnamed)
        a.origin = PEER_ADVERTISED;
    if (!entry) {
        groups_of_url(e->groups, row->url, &a.place);
        if (book_add(e->book, &a, now, &entry) == BOOK_FULL)
            return ERR_OK;
        entry = book_find(e->book, row->url);
        if (!entry) /* the ban of another row keeps it out */
            return ERR_OK;
        if ((unnamed || a.origin == PEER_INBOUND) && !banned) {
            entry->saved = true;
            book_remove(e->book, entry);
            return ERR_OK;
        }
    }
    fill_entry(e, entry, row);
    return ERR_OK;
}

static enum errc use_operators(struct engine *e, struct err *err)
{
    struct roster r = peerbook_roster(e);

    for (size_t i = 0; i < book_count(e->book); i++) {
        struct book_entry *entry = book_at(e->book, i);
        bool ours = entry->origin == PEER_CONFIGURED || entry->origin == PEER_OPERATOR;
        struct peer *p;

        if (!ours || (entry->kind == PEER_WS && !e->cfg->p2p_enabled))
            continue;
        if (roster_take(&r, entry, clock_now_ms(), &p, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

enum errc peerbook_load(struct engine *e, struct err *err)
{
    uint8_t salt[BOOK_SALT];

    if (sodium_init() < 0)
        abort();
    randombytes_buf(salt, sizeof(salt));
    e->peers = peers_create();
    e->book = book_create(salt);
    if (groups_open(e->cfg->asn_database, &e->groups, err) != ERR_OK ||
        add_configured(e, err) != ERR_OK ||
        control_peer_each(e->control, load_peer, e, err) != ERR_OK)
        return err->code;
    return use_operators(e, err);
}

/* --- while it runs --- */

static char *text_of(const char *text)
{
    return text[0] != '\0' ? xstrdup(text) : NULL;
}

static enum errc write_one(struct engine *e, struct book_entry *entry, struct err *err)
{
    bool banned = entry->banned_until_ms > 0;
    struct control_peer row = {
        .url = xstrdup(entry->url),
        .score = entry->score,
        .faults = entry->faults,
        .banned_until_ms = entry->banned_until_ms,
        .ban_reason = banned ? xstrdup(reason_code(entry->ban_reason)) : NULL,
        .ban_evidence = banned ? xstrdup(entry->ban_evidence) : NULL,
        .origin = xstrdup(peer_origin_name(entry->origin)),
        .source = text_of(entry->source),
        .ip = text_of(entry->ip),
        .identity = text_of(entry->identity),
        .tries = entry->tries,
        .tried_ms = entry->tried_ms,
        .last_good_ms = entry->last_good_ms,
        .bans = entry->bans,
    };

    entry->changed = false; /* a full disk is asked again at the next change */
    entry->saved = true;
    (void)control_peer_put(e->control, &row, err);
    control_peer_fini(&row);
    return err->code;
}

enum errc peerbook_write(struct engine *e, struct err *err)
{
    char *dropped;

    *err = (struct err){0};
    while (!err->code && (dropped = book_next_dropped(e->book))) {
        (void)control_peer_delete(e->control, dropped, err);
        free(dropped);
    }
    for (size_t i = 0; i < book_count(e->book) && !err->code; i++)
        if (book_at(e->book, i)->changed)
            (void)write_one(e, book_at(e->book, i), err);
    return err->code;
}

static void write_now(struct engine *e)
{
    struct err err;

    if (control_begin(e->control, &err) == ERR_OK) {
        if (peerbook_write(e, &err) == ERR_OK &&
            control_commit(e->control, &err) == ERR_OK)
            return;
        control_rollback(e->control);
    }
    log_warn("peers not saved, ignoring", KV_S("detail", err.msg));
}

static bool any_changed(const struct engine *e)
{
    for (size_t i = 0; i < book_count(e->book); i++)
        if (book_at(e->book, i)->changed)
            return true;
    return false;
}

/* Something of the job's points at it. */
static bool is_held(const struct peer *p, void *arg)
{
    const struct engine *e = arg;

    for (size_t i = 0; i < e->job.vote_count; i++)
        if (e->job.votes[i].peer == p)
            return true;
    for (size_t i = 0; i < CHASE_WINDOW; i++)
        if (e->chase.slots[i].from == p)
            return true;
    return finds_hold(&e->finds, p);
}

void peerbook_save(struct engine *e)
{
    int64_t mono = clock_mono_ms(), now = clock_now_ms();
    struct roster r = peerbook_roster(e);
    bool urgent = false;

    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);

        roster_keep(&r, p, now);
        urgent = urgent || (p->entry && p->entry->changed);
    }
    if (urgent || (mono >= e->book_due_mono_ms && any_changed(e)))
        write_now(e);
    if (mono >= e->book_due_mono_ms)
        e->book_due_mono_ms = mono + WRITE_EVERY_MS;
    (void)peers_forget(e->peers, is_held, e);
}

void peerbook_close(struct engine *e)
{
    if (e->opened && any_changed(e)) /* a start that fails leaves all as it is */
        write_now(e);
    peers_free(e->peers);
    book_free(e->book);
    groups_close(e->groups);
}
