#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/peer/book_impl.h"

struct book *book_create(const uint8_t salt[BOOK_SALT])
{
    struct book *b = xcalloc(1, sizeof(*b));

    memcpy(b->salt, salt, BOOK_SALT);
    return b;
}

static void entry_free(struct book_entry *entry)
{
    free(entry->url);
    free(entry);
}

void book_free(struct book *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++)
        entry_free(b->all[i]);
    for (size_t i = 0; i < b->dropped_count; i++)
        free(b->dropped[i]);
    free(b->dropped);
    free(b);
}

static size_t index_of(const struct book *b, const struct book_entry *entry)
{
    size_t i = 0;

    while (b->all[i] != entry)
        i++;
    return i;
}

size_t book_group_count(const struct book *b, const char *group)
{
    return book_room_of_group(b, book_key_of(b, 'g', group));
}

/* --- entries --- */

size_t book_count(const struct book *b)
{
    return b->count;
}

struct book_entry *book_at(const struct book *b, size_t i)
{
    return b->all[i];
}

struct book_entry *book_find(const struct book *b, const char *url)
{
    uint64_t key = book_key_of(b, 'u', url);

    for (size_t i = 0; i < b->count; i++)
        if (b->keys[i].url == key && strcmp(b->all[i]->url, url) == 0)
            return b->all[i];
    return NULL;
}

static struct book_entry *known(struct book_entry *entry, enum peer_origin origin)
{
    if (origin < entry->origin) { /* the enum is in order of trust */
        entry->origin = origin;
        entry->changed = true;
    }
    return entry;
}

static void put(struct book *b, struct book_entry *entry, const struct book_keys *k)
{
    b->all[b->count] = entry;
    b->keys[b->count] = *k;
    b->count++;
    book_room_recount(b, k->group);
}

enum book_result book_add(struct book *b, const struct book_advert *a, int64_t now_ms,
                          struct book_entry **out)
{
    const struct book_entry *ban = book_banned(b, a->url, NULL, NULL, now_ms);
    struct book_entry *entry = book_find(b, a->url), *unused;
    struct book_keys k;

    out = out ? out : &unused;
    if (entry) {
        *out = known(entry, a->origin);
        return ban ? BOOK_BANNED : BOOK_KNOWN;
    }
    if (ban && !book_room_operators(a->origin)) {
        *out = b->all[index_of(b, ban)];
        return BOOK_BANNED;
    }
    entry = xcalloc(1, sizeof(*entry));
    entry->url = xstrdup(a->url);
    entry->kind = url_is_ws(a->url) ? PEER_WS : PEER_HTTP;
    entry->origin = a->origin;
    entry->place = a->place;
    entry->score = 100; /* as peers_add */
    entry->changed = true;
    entry->lot = book_key_of(b, 'l', entry->url);
    (void)snprintf(entry->source, sizeof(entry->source), "%s",
                   a->source ? a->source : "");
    k = book_key_all(b, entry);
    if (!book_room_make(b, entry, &k, now_ms)) {
        entry_free(entry);
        return BOOK_FULL;
    }
    put(b, entry, &k);
    *out = entry;
    if (!ban)
        return BOOK_ADDED;
    book_set_ban(b, entry, ban->banned_until_ms, ban->ban_reason, ban->ban_evidence,
                 now_ms);
    return BOOK_BANNED;
}

static void note_dropped(struct book *b, struct book_entry *entry)
{
    if (!entry->saved)
        return;
    b->dropped = xrealloc(b->dropped, (b->dropped_count + 1) * sizeof(char *));
    b->dropped[b->dropped_count++] = TAKE(entry->url);
}

void book_remove(struct book *b, struct book_entry *entry)
{
    size_t at = index_of(b, entry);
    uint64_t group = b->keys[at].group;

    b->count--;
    b->all[at] = b->all[b->count];
    b->keys[at] = b->keys[b->count];
    book_room_recount(b, group);
    note_dropped(b, entry);
    entry_free(entry);
}

char *book_next_dropped(struct book *b)
{
    return b->dropped_count > 0 ? b->dropped[--b->dropped_count] : NULL;
}

/* --- what is learned --- */

const struct book_entry *book_banned(const struct book *b, const char *url,
                                     const char *ip, const char *identity,
                                     int64_t now_ms)
{
    uint64_t endpoint = url ? book_key_endpoint(b, url, NULL) : 0;
    uint64_t address = url && ip && ip[0] ? book_key_endpoint(b, url, ip) : 0;
    uint64_t who = identity ? book_key_of(b, 'i', identity) : 0;

    for (size_t i = 0; i < b->count; i++) {
        const struct book_keys *k = &b->keys[i];
        bool same = (endpoint && (k->endpoint == endpoint || k->address == endpoint)) ||
                    (address && (k->endpoint == address || k->address == address)) ||
                    (who && k->identity == who);

        if (same && b->all[i]->banned_until_ms > now_ms)
            return b->all[i];
    }
    return NULL;
}

void book_set_address(struct book *b, struct book_entry *entry, const char *ip,
                      const struct groups_place *place)
{
    size_t at = index_of(b, entry);
    uint64_t group = b->keys[at].group;

    (void)snprintf(entry->ip, sizeof(entry->ip), "%s", ip);
    entry->place = *place;
    b->keys[at] = book_key_all(b, entry);
    book_room_recount(b, group);
    book_room_recount(b, b->keys[at].group);
    entry->changed = true;
}

void book_set_identity(struct book *b, struct book_entry *entry, const char *identity)
{
    (void)snprintf(entry->identity, sizeof(entry->identity), "%s", identity);
    b->keys[index_of(b, entry)].identity = book_key_of(b, 'i', entry->identity);
    entry->changed = true;
}

static void keep_to_bans(struct book *b, const struct book_entry *stays, int64_t now_ms)
{
    struct book_entry *first = NULL;
    size_t banned = 0;

    for (size_t i = 0; i < b->count; i++) {
        struct book_entry *entry = b->all[i];

        if (entry->banned_until_ms <= now_ms)
            continue;
        banned++;
        if (entry != stays && !book_room_operators(entry->origin) && !entry->in_use &&
            (!first || entry->banned_until_ms < first->banned_until_ms))
            first = entry;
    }
    if (banned > BOOK_BANNED_MAX && first)
        book_remove(b, first);
}

void book_set_ban(struct book *b, struct book_entry *entry, int64_t until_ms,
                  enum reason reason, const char *evidence, int64_t now_ms)
{
    entry->banned_until_ms = until_ms;
    entry->ban_reason = reason;
    (void)snprintf(entry->ban_evidence, sizeof(entry->ban_evidence), "%s", evidence);
    entry->changed = true;
    keep_to_bans(b, entry, now_ms);
}
