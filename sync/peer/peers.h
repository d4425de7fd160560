#ifndef SYNC_PEER_PEERS_H
#define SYNC_PEER_PEERS_H

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
enum { PEERS_MAX = 256 };

enum peer_fault {
    PEER_FAULT_UNREACHABLE, /* no connection, timeout */
    PEER_FAULT_ERROR,       /* HTTP status that is no answer, or a body that is none */
    PEER_FAULT_RATE_LIMIT,  /* 429; not a fault of character: back off only */
    PEER_FAULT_LIE,         /* proven false data: bans */
};

struct peer {
    char url[URL_MAX];         /* base, no trailing slash: the peer's name */
    char group[URL_GROUP_MAX]; /* of the address last connected to; "" until then */
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
    bool has_tip; /* its word */
    uint64_t tip_height;
    uint8_t tip_hash[32];
    int64_t tip_at_mono_ms;
};

struct peers;

struct peers *peers_create(void);
void peers_free(struct peers *p);

/* ERR_INVALID for a bad URL, ERR_CONFLICT when known, ERR_BUSY past PEERS_MAX. */
enum errc peers_add(struct peers *p, const char *url, struct peer **out,
                    struct err *err);
size_t peers_count(const struct peers *p);
struct peer *peers_at(struct peers *p, size_t i); /* stable pointers for life */
struct peer *peers_find(struct peers *p, const char *url);

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
                   const char *ip);
/* evidence: what was seen, for the operator.  retry_after_s counts for rate limits. */
void peer_blame(struct peer *peer, enum peer_fault fault, enum reason reason,
                uint32_t retry_after_s, const char *evidence, int64_t mono_ms,
                int64_t now_ms);
/* Forgets earlier bans too: the operator's pardon. */
void peer_unban(struct peer *peer);

#endif
