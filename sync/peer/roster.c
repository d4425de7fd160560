#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/peer/roster.h"

static const int64_t retry_first_ms = 60 * INT64_C(1000);
static const int64_t retry_max_ms = INT64_C(24) * 3600 * 1000;

static bool operators(enum peer_origin origin)
{
    return origin == PEER_CONFIGURED || origin == PEER_OPERATOR;
}

unsigned roster_per_network(unsigned target)
{
    return (target + 3) / 4 > 0 ? (target + 3) / 4 : 1;
}

/* --- who is in use --- */

/* Where those of a kind are that we chose to connect to. */
struct used {
    struct groups_place *places; /* in step with peers */
    struct peer **peers;
    size_t count;
    size_t own, others; /* nodes, of the operator and not: one under several addresses,
                           which only the operator can ask for, is one */
};

static struct groups_place place_of(const struct roster *r, const struct peer *p)
{
    struct groups_place place = {.as_number = p->as_number};

    if (p->group[0] == '\0')
        groups_of_url(r->groups, p->url, &place);
    else
        (void)snprintf(place.group, sizeof(place.group), "%s", p->group);
    return place;
}

static void used_fill(const struct roster *r, enum peer_kind kind, struct used *u)
{
    size_t n = peers_count(r->peers);

    *u = (struct used){.places = xcalloc(n + 1, sizeof(*u->places)),
                       .peers = xcalloc(n + 1, sizeof(struct peer *))};
    for (size_t i = 0; i < n; i++) {
        struct peer *p = peers_at(r->peers, i);

        if (p->kind != kind || p->origin == PEER_INBOUND)
            continue;
        u->places[u->count] = place_of(r, p);
        u->peers[u->count++] = p;
        if (!roster_twin(r, p))
            (*(operators(p->origin) ? &u->own : &u->others))++;
    }
}

static void used_fini(struct used *u)
{
    free(u->places);
    free(u->peers);
}

static size_t used_in(const struct used *u, const struct groups_place *place)
{
    size_t n = 0;

    for (size_t i = 0; i < u->count; i++)
        n += groups_same(&u->places[i], place);
    return n;
}

static bool used_enough(const struct used *u, unsigned target)
{
    size_t own = u->own < target / 2 ? u->own : target / 2;

    return u->others + own >= target;
}

static bool identity_used(const struct used *u, const char *identity)
{
    for (size_t i = 0; i < u->count && identity[0] != '\0'; i++)
        if (strcmp(u->peers[i]->identity, identity) == 0)
            return true;
    return false;
}

/* --- who is next --- */

static bool waits(const struct book_entry *entry, int64_t now_ms)
{
    int64_t ms = retry_first_ms;

    if (entry->tries == 0 || entry->tried_ms > now_ms)
        return false; /* or the clock was set back */
    for (unsigned i = 1; i < entry->tries && ms < retry_max_ms; i++)
        ms *= 2;
    return now_ms - entry->tried_ms < (ms < retry_max_ms ? ms : retry_max_ms);
}

static bool may_be_used(const struct book_entry *entry, enum peer_kind kind,
                        int64_t now_ms)
{
    return entry->kind == kind && !entry->in_use && entry->origin != PEER_INBOUND &&
           entry->banned_until_ms <= now_ms && !waits(entry, now_ms);
}

struct candidate {
    struct book_entry *entry;
    bool own, fresh; /* of a network that has none in use */
};

static bool better(const struct candidate *a, const struct candidate *b)
{
    const struct book_entry *x = a->entry, *y = b->entry;

    if (a->own != b->own)
        return a->own;
    if (a->fresh != b->fresh)
        return a->fresh;
    if ((x->last_good_ms > 0) != (y->last_good_ms > 0))
        return x->last_good_ms > 0;
    if (x->score != y->score)
        return x->score > y->score;
    return x->tries != y->tries ? x->tries < y->tries : x->lot < y->lot;
}

/* The best of those that may be used; own: of the operator's alone. */
static struct candidate best(const struct roster *r, const struct roster_want *w,
                             const struct used *u, bool own, int64_t now_ms)
{
    size_t most = roster_per_network(w->target);
    struct candidate found = {0};

    for (size_t i = 0; i < book_count(r->book); i++) {
        struct candidate c = {.entry = book_at(r->book, i)};
        size_t there;

        c.own = operators(c.entry->origin);
        if (!may_be_used(c.entry, w->kind, now_ms) || (own && !c.own))
            continue;
        there = used_in(u, &c.entry->place);
        c.fresh = there == 0;
        if (!c.own && (there >= most || identity_used(u, c.entry->identity)))
            continue;
        if (!found.entry || better(&c, &found))
            found = c;
    }
    return found;
}

struct book_entry *roster_next(const struct roster *r, const struct roster_want *w,
                               int64_t now_ms)
{
    struct candidate found;
    struct used u;

    used_fill(r, w->kind, &u);
    found = best(r, w, &u, used_enough(&u, w->target), now_ms);
    used_fini(&u);
    return found.entry;
}

/* --- who leaves --- */

struct peer *roster_twin(const struct roster *r, const struct peer *peer)
{
    for (size_t i = 0; i < peers_count(r->peers) && peer->identity[0] != '\0'; i++) {
        struct peer *p = peers_at(r->peers, i);

        if (p == peer)
            break;
        if (p->kind == peer->kind && strcmp(p->identity, peer->identity) == 0)
            return p;
    }
    return NULL;
}

static bool is_useless(const struct roster *r, const struct peer *p, int64_t now_ms)
{
    return p->banned_until_ms > now_ms || p->score == 0 || roster_twin(r, p) != NULL;
}

static bool leaves_before(const struct peer *a, size_t a_there, const struct peer *b,
                          size_t b_there)
{
    return a_there != b_there ? a_there > b_there : a->score < b->score;
}

/* Of the networks with several in use, from the largest. */
static struct peer *from_largest(const struct used *u)
{
    struct peer *worst = NULL;
    size_t worst_there = 1;

    for (size_t i = 0; i < u->count; i++) {
        size_t there = used_in(u, &u->places[i]);

        if (operators(u->peers[i]->origin) || there < 2)
            continue;
        if (!worst || leaves_before(u->peers[i], there, worst, worst_there)) {
            worst = u->peers[i];
            worst_there = there;
        }
    }
    return worst;
}

struct peer *roster_leaver(const struct roster *r, const struct roster_want *w,
                           int64_t now_ms)
{
    struct peer *leaver = NULL;
    struct used u;

    used_fill(r, w->kind, &u);
    for (size_t i = 0; i < u.count && !leaver; i++)
        if (!operators(u.peers[i]->origin) && is_useless(r, u.peers[i], now_ms))
            leaver = u.peers[i];
    if (!leaver && used_enough(&u, w->target)) {
        struct candidate c = best(r, w, &u, false, now_ms);

        if (c.entry && c.fresh)
            leaver = from_largest(&u);
    }
    used_fini(&u);
    return leaver;
}
