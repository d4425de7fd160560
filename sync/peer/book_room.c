#include "sync/peer/book_impl.h"

/* Who goes when the book, a network or a source has no more places. */

size_t book_room_of_group(const struct book *b, uint64_t group)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->keys[i].group == group)
            return b->keys[i].group_count;
    return 0;
}

void book_room_recount(struct book *b, uint64_t group)
{
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++)
        n += b->keys[i].group == group;
    for (size_t i = 0; i < b->count; i++)
        if (b->keys[i].group == group)
            b->keys[i].group_count = n;
}

static size_t unreached_of(const struct book *b, uint64_t source)
{
    size_t n = 0;

    for (size_t i = 0; i < b->count && source != 0; i++)
        n += b->keys[i].source == source && b->all[i]->last_good_ms == 0;
    return n;
}

bool book_room_operators(enum peer_origin origin)
{
    return origin == PEER_CONFIGURED || origin == PEER_OPERATOR;
}

static bool may_go(const struct book_entry *entry, int64_t now_ms)
{
    return !book_room_operators(entry->origin) && !entry->in_use &&
           entry->banned_until_ms <= now_ms;
}

static bool worse(const struct book_entry *x, const struct book_entry *y)
{
    bool x_reached = x->last_good_ms > 0, y_reached = y->last_good_ms > 0;

    if (x_reached != y_reached)
        return y_reached;
    if (x->tries != y->tries)
        return x->tries > y->tries;
    return x->lot > y->lot;
}

/* What has to shrink for the newcomer.  Neither: the largest network that can. */
struct room {
    uint64_t source, group; /* 0: need not */
};

static bool fits(const struct book_keys *k, const struct room *room, size_t largest)
{
    if (room->source == 0 && room->group == 0)
        return k->group_count == largest;
    return (room->source == 0 || k->source == room->source) &&
           (room->group == 0 || k->group == room->group);
}

static size_t largest_of(const struct book *b, int64_t now_ms)
{
    size_t largest = 0;

    for (size_t i = 0; i < b->count; i++)
        if (b->keys[i].group_count > largest && may_go(b->all[i], now_ms))
            largest = b->keys[i].group_count;
    return largest;
}

static struct book_entry *victim(const struct book *b, const struct room *room,
                                 size_t largest, int64_t now_ms)
{
    struct book_entry *worst = NULL;

    for (size_t i = 0; i < b->count; i++)
        if (fits(&b->keys[i], room, largest) && may_go(b->all[i], now_ms) &&
            (!worst || worse(b->all[i], worst)))
            worst = b->all[i];
    return worst;
}

bool book_room_make(struct book *b, const struct book_entry *newcomer,
                    const struct book_keys *k, int64_t now_ms)
{
    bool ours = book_room_operators(newcomer->origin), spreads;
    size_t own = book_room_of_group(b, k->group), largest = largest_of(b, now_ms);
    struct room room = {0};
    struct book_entry *goes;

    if (!ours && own >= BOOK_GROUP_MAX)
        room.group = k->group;
    if (!ours && unreached_of(b, k->source) >= BOOK_SOURCE_MAX)
        room.source = k->source;
    if (b->count < BOOK_MAX && room.group == 0 && room.source == 0)
        return true;
    goes = victim(b, &room, largest, now_ms);
    spreads = room.group == 0 && room.source == 0 && own + 1 < largest;
    if (!goes ||
        (!ours && !(spreads && goes->last_good_ms == 0) && worse(newcomer, goes)))
        return false;
    book_remove(b, goes);
    return true;
}
