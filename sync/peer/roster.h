#ifndef SYNC_PEER_ROSTER_H
#define SYNC_PEER_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/peer/book.h"
#include "sync/peer/groups.h"
#include "sync/peer/peers.h"

/*
 * Which of the known addresses are in use.  The operator's always are.  Of the others,
 * as many as are wanted of a kind, networks that are not there yet first, and never
 * more than a quarter of them in one network: a flood of one network can have its
 * quarter and no more.  Half of the places are kept for others than the operator's.
 *
 * Plain data of the engine thread; no I/O, time (wall) is passed in.  Borrows all
 * three.
 */
struct roster {
    struct peers *peers;
    struct book *book;
    const struct groups *groups;
};

struct roster_want {
    enum peer_kind kind;
    unsigned target; /* peers of the kind to have in use, inbound ones not counted */
};

/* At most so many of one network: a quarter of target, and one at least. */
unsigned roster_per_network(unsigned target);

/* The known address to use next; NULL: enough are in use, or none fits. */
struct book_entry *roster_next(const struct roster *r, const struct roster_want *w,
                               int64_t now_ms);

/* Uses it: a peer with what the book knows of it.  ERR_BUSY past PEERS_MAX. */
enum errc roster_take(const struct roster *r, struct book_entry *entry, int64_t now_ms,
                      struct peer **out, struct err *err);

/*
 * Whose place is better given away: who is banned, worn out, or under another address
 * here already; or, when all places are taken and a network that has none waits, the
 * worst of the largest network.  Never the operator's; the caller releases it.
 */
struct peer *roster_leaver(const struct roster *r, const struct roster_want *w,
                           int64_t now_ms);

/* Another peer of its kind with its identity, in use before it; NULL. */
struct peer *roster_twin(const struct roster *r, const struct peer *peer);

/*
 * To be called once a peer's identity or address is known: false when that is banned
 * under another URL, and then the peer is banned as long, for the same reason.
 */
bool roster_vet(const struct roster *r, struct peer *peer, int64_t now_ms);

/* A ban of the book is of the node: it holds at all the addresses of that identity that
   are in use.  roster_keep does so with what it writes. */
void roster_ban_identity(const struct roster *r, const char *identity, int64_t now_ms);

/* What was learned of a peer goes into the book, its ban in any case, and its AS into
   the peer. */
void roster_keep(const struct roster *r, struct peer *peer, int64_t now_ms);

/* Keeps it, and takes it off the peers (peers_remove). */
void roster_release(const struct roster *r, struct peer *peer, int64_t now_ms);

#endif
