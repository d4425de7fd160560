#ifndef SYNC_PEER_PEERS_H
#define SYNC_PEER_PEERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/peer/url.h"

/*
 * The peers we know and how they behave: scores, faults, back-off, bans.  Plain data of
 * the engine thread; no I/O, time is passed in (monotonic for back-off, wall for bans).
 *
 * Score starts at 100 and is kept within 0..100.  A good answer gives 1 back.  Slowness
 * and failures cost some and back off, doubling from 1 s to 5 min; a lie bans for an
 * hour, doubling each time to a week.
 */
enum {
    PEERS_MAX = 1200, /* as many as a P2P node has connections, and then some */
    PEERS_CONFIGURED_MAX = 256, /* of them named by the operator's file */
    PEER_IDENTITY_MAX = 80,
};

enum peer_kind { /* by the URL's scheme */
                 PEER_HTTP,
                 PEER_WS,
};

enum peer_origin {
    PEER_CONFIGURED, /* the configuration */
    PEER_OPERATOR,   /* peers.add */
    PEER_ADVERTISED, /* another peer's list */
    PEER_SEED,       /* a DNS seed */
    PEER_INBOUND,    /* connected to us */
};

enum peer_fault {
    PEER_FAULT_UNREACHABLE, /* no connection, timeout */
    PEER_FAULT_ERROR,       /* HTTP status that is no answer, or a body that is none */
    PEER_FAULT_RATE_LIMIT,  /* 429; not a fault of character: back off only */
    PEER_FAULT_LIE,         /* proven false data: bans */
};

struct book_entry;

struct peer {
    char url[URL_MAX]; /* base, no trailing slash: the peer's name */
    enum peer_kind kind;
    enum peer_origin origin;
    bool hostile; /* its URL is somebody's word: trust.md's address rules apply to every
                     request to it */
    bool gone;    /* removed; its memory is kept for who still points at it */
    size_t slot;  /* its place in tables of PEERS_MAX members, its own until it is
                     forgotten */
    char group[URL_GROUP_MAX]; /* of the address last connected to; "" until then */
    char ip[46];               /* that address; "" until then */
    uint32_t as_number;        /* of that address; 0: unknown */
    char identity[PEER_IDENTITY_MAX];   /* "secp256k1:<66 hex>" of a P2P key, or
                                           "ed25519:<64 hex>" of a verified hello; "" */
    bool cairn;                         /* answers the Cairn paths ... */
    bool serves_headers, serves_blocks; /* ... these among them */
    uint64_t conn;                      /* its P2P connection; 0: none */
    int64_t last_good_ms;               /* wall clock of its last answer; 0: never */
    int score;
    uint64_t requests, faults, bytes;
    uint32_t latency_ms; /* moving average; 0 until the first answer */
    unsigned in_flight;  /* kept by the owner: up at submit, down at done */
    int64_t backoff_until_mono_ms;
    unsigned backoff_steps;
    int64_t banned_until_ms; /* wall clock; 0: not */
    unsigned bans;
    enum reason ban_reason;
    char ban_evidence[160];
    char last_error[160];
    struct book_entry *entry; /* in the book, which it keeps in use; NULL: none */
    atomic_uint held;         /* by the owner's tasks that point at it */
    bool has_tip;             /* its word */
    uint64_t tip_height;
    uint8_t tip_hash[32];
    int64_t tip_at_mono_ms;
};

struct peers;

struct peers *peers_create(void);
void peers_free(struct peers *p);

/* ERR_INVALID for a bad URL, ERR_CONFLICT when known, ERR_BUSY past PEERS_MAX.  The
   origin says whether it is hostile: whatever the operator did not name is. */
enum errc peers_add(struct peers *p, const char *url, enum peer_origin origin,
                    struct peer **out, struct err *err);
size_t peers_count(const struct peers *p);
/* In the order they were added.  Pointers are stable until a peer is forgotten. */
struct peer *peers_at(struct peers *p, size_t i);
struct peer *peers_find(struct peers *p, const char *url);
struct peer *peers_find_conn(struct peers *p, uint64_t conn);

/* Takes it off the list at once.  Its memory and slot stay until peers_forget. */
void peers_remove(struct peers *p, struct peer *peer);
/* Frees the removed ones, with nothing in flight or held, that held() (may be NULL)
   lets go of.
   Returns how many stay. */
size_t peers_forget(struct peers *p, bool (*held)(const struct peer *peer, void *arg),
                    void *arg);

const char *peer_kind_name(enum peer_kind kind);
const char *peer_origin_name(enum peer_origin origin);
/* False when no origin has this name. */
bool peer_origin_find(const char *name, enum peer_origin *out);

/* Neither banned nor backing off. */
bool peer_usable(const struct peer *peer, int64_t mono_ms, int64_t now_ms);

/*
 * The best usable peer for a request: fewest in flight, then best score, then lowest
 * latency; below max_in_flight; eligible() (may be NULL) says who may be asked.  NULL
 * when there is none.
 */
struct peer *peers_pick(struct peers *p, int64_t mono_ms, int64_t now_ms,
                        unsigned max_in_flight,
                        bool (*eligible)(const struct peer *peer, void *arg),
                        void *arg);

/* One of these two for a request; a lie found later in an answer is blamed on top. */
void peer_answered(struct peer *peer, uint32_t elapsed_ms, uint64_t bytes,
                   const char *ip, int64_t now_ms);
/* evidence: what was seen, for the operator.  retry_after_s counts for rate limits. */
void peer_blame(struct peer *peer, enum peer_fault fault, enum reason reason,
                uint32_t retry_after_s, const char *evidence, int64_t mono_ms,
                int64_t now_ms);
/* The operator's own ban, for that long. */
void peer_ban(struct peer *peer, int64_t for_ms, const char *evidence, int64_t now_ms);
/* Forgets earlier bans too: the operator's pardon. */
void peer_unban(struct peer *peer);

#endif
