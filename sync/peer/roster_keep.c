#include <stdio.h>
#include <string.h>

#include "sync/peer/roster.h"

/* From the book to a peer in use, and back. */

static const int64_t good_again_ms = 600 * INT64_C(1000); /* worth writing down */

static void fill(struct peer *p, const struct book_entry *entry)
{
    p->score = entry->score;
    p->faults = entry->faults;
    p->last_good_ms = entry->last_good_ms;
    p->banned_until_ms = entry->banned_until_ms;
    p->bans = entry->bans;
    p->ban_reason = entry->ban_reason;
    memcpy(p->ban_evidence, entry->ban_evidence, sizeof(p->ban_evidence));
    memcpy(p->identity, entry->identity, sizeof(p->identity));
    memcpy(p->ip, entry->ip, sizeof(p->ip));
    if (p->ip[0] != '\0') {
        memcpy(p->group, entry->place.group, sizeof(p->group));
        p->as_number = entry->place.as_number;
    }
}

enum errc roster_take(const struct roster *r, struct book_entry *entry, int64_t now_ms,
                      struct peer **out, struct err *err)
{
    struct peer *p;

    if (peers_add(r->peers, entry->url, entry->origin, &p, err) != ERR_OK)
        return err->code;
    fill(p, entry);
    p->entry = entry;
    entry->in_use = true;
    entry->tries++; /* until it answers */
    entry->tried_ms = now_ms;
    *out = p;
    return ERR_OK;
}

bool roster_vet(const struct roster *r, struct peer *peer, int64_t now_ms)
{
    const struct book_entry *ban =
        book_banned(r->book, peer->url, peer->ip, peer->identity, now_ms);

    if (!ban)
        return true;
    if (peer->banned_until_ms < ban->banned_until_ms) {
        peer->banned_until_ms = ban->banned_until_ms;
        peer->bans = ban->bans;
        peer->ban_reason = ban->ban_reason;
        memcpy(peer->ban_evidence, ban->ban_evidence, sizeof(peer->ban_evidence));
    }
    return false;
}

static bool keep_place(const struct roster *r, struct peer *p)
{
    struct groups_place place;

    if (p->ip[0] == '\0' || strcmp(p->ip, p->entry->ip) == 0 ||
        !groups_of(r->groups, p->ip, &place))
        return false;
    p->as_number = place.as_number;
    book_set_address(r->book, p->entry, p->ip, &place);
    return true;
}

static bool keep_identity(const struct roster *r, const struct peer *p)
{
    if (p->identity[0] == '\0' || strcmp(p->identity, p->entry->identity) == 0)
        return false;
    book_set_identity(r->book, p->entry, p->identity);
    return true;
}

void roster_ban_identity(const struct roster *r, const char *identity, int64_t now_ms)
{
    for (size_t i = 0; i < peers_count(r->peers) && identity[0] != '\0'; i++) {
        struct peer *p = peers_at(r->peers, i);

        if (strcmp(p->identity, identity) == 0)
            (void)roster_vet(r, p, now_ms);
    }
}

static void keep_ban(const struct roster *r, const struct peer *p, int64_t now_ms)
{
    struct book_entry *entry = p->entry;

    if (p->banned_until_ms == entry->banned_until_ms)
        return;
    entry->bans = p->bans;
    book_set_ban(r->book, entry, p->banned_until_ms, p->ban_reason, p->ban_evidence,
                 now_ms);
    roster_ban_identity(r, p->identity, now_ms);
}

/* Who connected to us, or was added past the book, is worth remembering when it lied.
 */
static bool has_entry(const struct roster *r, struct peer *p, int64_t now_ms)
{
    struct book_advert a = {.url = p->url, .origin = p->origin};

    if (p->entry || p->banned_until_ms <= now_ms)
        return p->entry != NULL;
    groups_of_url(r->groups, p->url, &a.place);
    p->entry = book_find(r->book, p->url);
    if (!p->entry && book_add(r->book, &a, now_ms, &p->entry) != BOOK_ADDED)
        p->entry = NULL;
    if (p->entry)
        p->entry->in_use = true;
    return p->entry != NULL;
}

void roster_keep(const struct roster *r, struct peer *peer, int64_t now_ms)
{
    struct groups_place place;
    struct book_entry *entry;
    bool moved, named;

    if (!has_entry(r, peer, now_ms)) {
        if (peer->as_number == 0 && groups_of(r->groups, peer->ip, &place))
            peer->as_number = place.as_number;
        return;
    }
    entry = peer->entry;
    moved = keep_place(r, peer);
    named = keep_identity(r, peer);
    if (moved || named)
        (void)roster_vet(r, peer, now_ms);
    keep_ban(r, peer, now_ms);
    if (peer->last_good_ms > entry->last_good_ms)
        entry->tries = 0;
    if (peer->last_good_ms - entry->last_good_ms > good_again_ms) {
        entry->last_good_ms = peer->last_good_ms;
        entry->changed = true;
    }
    entry->changed |= entry->faults != peer->faults;
    entry->faults = peer->faults;
    entry->score = peer->score;
}

void roster_release(const struct roster *r, struct peer *peer, int64_t now_ms)
{
    roster_keep(r, peer, now_ms);
    if (peer->entry) {
        peer->entry->last_good_ms = peer->last_good_ms;
        peer->entry->in_use = false;
        peer->entry->changed = true;
        peer->entry = NULL;
    }
    peers_remove(r->peers, peer);
}
