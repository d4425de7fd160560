#ifndef SYNC_PEER_BOOK_H
#define SYNC_PEER_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "sync/peer/groups.h"
#include "sync/peer/peers.h"

/*
 * Every address we know of, in use or not.  Others fill it with what they like, so it
 * is bounded, and nobody can fill it alone: a network has at most BOOK_GROUP_MAX
 * places, what one network tells and nobody ever reached has at most BOOK_SOURCE_MAX,
 * and in a full book the largest network gives way.  Who has to go is settled by merit
 * (reached once, tried least) and then by a lottery that depends on the salt alone: the
 * outcome of a flood does not depend on how often it is repeated.  The operator's,
 * those in use and the banned never go.
 *
 * Plain data of the engine thread; no I/O, time (wall) is passed in.
 */
enum {
    BOOK_MAX = 4096,
    BOOK_GROUP_MAX = 64,
    BOOK_SOURCE_MAX = 512,
    BOOK_BANNED_MAX = 1024, /* beyond, the bans that end first are forgotten */
    BOOK_SALT = 16,
};

struct book_entry {
    char *url; /* a peer's base (url_normalise_base) */
    enum peer_kind kind;
    enum peer_origin origin;
    struct groups_place place;  /* of ip, or what the URL alone says */
    char source[URL_GROUP_MAX]; /* network of who told it; "": nobody's word */
    char ip[46];                /* last connected to; "" */
    char identity[PEER_IDENTITY_MAX];
    int score;
    uint64_t faults;
    unsigned tries; /* since it last answered */
    int64_t tried_ms, last_good_ms;
    int64_t banned_until_ms;
    unsigned bans;
    enum reason ban_reason;
    char ban_evidence[160];
    bool in_use;
    bool saved, changed; /* the owner's row: there is one; it is out of date */
    uint64_t lot;        /* private, random to others: settles what merit leaves open */
};

struct book;

struct book *book_create(const uint8_t salt[BOOK_SALT]);
void book_free(struct book *b);
DEFINE_CLEANUP(struct book, book_free)

enum book_result { BOOK_ADDED, BOOK_KNOWN, BOOK_BANNED, BOOK_FULL };

struct book_advert {
    const char *url; /* normalised */
    enum peer_origin origin;
    const char *source; /* network group of who told it; NULL: nobody's word */
    struct groups_place place;
};

/*
 * *out, if not NULL: the entry; of BANNED the one that is banned, maybe under another
 * URL; of FULL untouched.  The operator's word adds a banned endpoint all the same,
 * banned.  A known one rises to a better origin.
 */
enum book_result book_add(struct book *b, const struct book_advert *a, int64_t now_ms,
                          struct book_entry **out);

size_t book_count(const struct book *b);
/* In no order; places change when an entry goes, pointers do not. */
struct book_entry *book_at(const struct book *b, size_t i);
struct book_entry *book_find(const struct book *b, const char *url); /* normalised */
size_t book_group_count(const struct book *b, const char *group);

/* Not while in use.  A saved row goes onto the list of those dropped. */
void book_remove(struct book *b, struct book_entry *entry);
/* A URL whose row is to be deleted, the caller's to free; NULL: no more. */
char *book_next_dropped(struct book *b);

/* Whether who has this identity, or is at this ip and port of the URL, or has this URL,
   is banned now.  Any may be NULL or "".  The entry that says so, or NULL. */
const struct book_entry *book_banned(const struct book *b, const char *url,
                                     const char *ip, const char *identity,
                                     int64_t now_ms);

/* What was learned of an entry: the keys of book_banned follow. */
void book_set_address(struct book *b, struct book_entry *entry, const char *ip,
                      const struct groups_place *place);
void book_set_identity(struct book *b, struct book_entry *entry, const char *identity);
/* Also keeps to BOOK_BANNED_MAX; entry itself stays. */
void book_set_ban(struct book *b, struct book_entry *entry, int64_t until_ms,
                  enum reason reason, const char *evidence, int64_t now_ms);
#endif
