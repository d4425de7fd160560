#ifndef SYNC_PEER_BOOK_IMPL_H
#define SYNC_PEER_BOOK_IMPL_H

#include "sync/peer/book.h"

/* The inside of the book, shared by its files and by nobody else. */

/* What entries are looked up and counted by: salted, so that nobody can aim. */
struct book_keys {
    uint64_t url, endpoint, address, identity; /* 0: none */
    uint64_t group, source;
    size_t group_count; /* entries of the group, this one included */
};

struct book {
    uint8_t salt[BOOK_SALT];
    size_t count;
    struct book_keys keys[BOOK_MAX]; /* in step with all: a pass over them is quick */
    struct book_entry *all[BOOK_MAX];
    char **dropped;
    size_t dropped_count;
};

/* --- book_key.c --- */
/* Of a text in a role; 0 of none. */
uint64_t book_key_of(const struct book *b, char what, const char *text);
/* Of who listens there, whatever is spoken: a host, in its one spelling, and a port.
   ip, if not "" or NULL, in place of the URL's host. */
uint64_t book_key_endpoint(const struct book *b, const char *url, const char *ip);
struct book_keys book_key_all(const struct book *b, const struct book_entry *entry);

/* --- book_room.c --- */
size_t book_room_of_group(const struct book *b, uint64_t group);
void book_room_recount(struct book *b, uint64_t group);
/* Makes room for a newcomer with these keys.  False: it is the one that has to go. */
bool book_room_make(struct book *b, const struct book_entry *newcomer,
                    const struct book_keys *k, int64_t now_ms);
bool book_room_operators(enum peer_origin origin); /* the operator named it */

#endif
