#ifndef SYNC_FINDS_H
#define SYNC_FINDS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync/peer/peers.h"
#include "sync/snapshot/payload.h"

struct engine;

/*
 * The checkpoints that peers offer now: asked for in rounds while there is no state or
 * when somebody wants to know, rebuilt by each round.  An offer is a claim; what it is
 * worth is judged by the job that takes it.  Bounded in all: so many finds, so many of
 * one peer, and what was refused is left alone for a while.
 */
enum {
    FINDS_MAX = 64,
    FINDS_PER_PEER = 2,
    FIND_OFFERS_MAX = 64,
    FINDS_REFUSED_MAX = 64,
};

struct find {
    struct payload_meta meta; /* height and block hash at least */
    bool whole;               /* meta is all that the rules before the body look at */
    char url[URL_MAX];        /* of its payload; "" when nobody said */
    bool hostile;             /* the URL is a peer's word */
    char *payload;            /* its text, where a peer gave it; NULL */
    struct peer *offers[FIND_OFFERS_MAX];
    size_t offer_count, groups;
    bool refused; /* by the rules that need nothing more, or lately by a job */
    enum reason reason;
};

struct finds_refusal {
    uint64_t height;
    char block_hash[65], state_hash[65];
    char url[URL_MAX];
    enum reason reason;
    unsigned times;
    int64_t until_mono_ms;
};

struct finds {
    struct find *all[FINDS_MAX];
    size_t count;
    struct finds_refusal refused[FINDS_REFUSED_MAX];
    size_t refused_next;
    struct finds_refusal
        taken; /* what the job under way took, should it come to that */
    uint64_t round;
    unsigned out;                /* answers that are to come */
    int64_t ends_at_mono_ms;     /* of the round under way; 0: none is */
    int64_t enough_at_mono_ms;   /* an offer to take and whom to ask, first; 0 */
    int64_t next_at_mono_ms;     /* not before: the next round */
    int64_t offered_at_mono_ms;  /* first offer since there was none; 0 */
    int64_t alone_since_mono_ms; /* no acceptable offer since; 0 */
    unsigned empty_rounds;
};

/* There is somebody who could offer one: P2P is on, or a peer is a Cairn. */
bool finds_possible(struct engine *e);
/* Begins a round unless one is under way or the last is not old yet. */
void finds_refresh(struct engine *e);
/* As many as quorum and diversity want. */
bool finds_enough(struct engine *e);
/* What is to come in the round under way need not be waited for any more. */
bool finds_round_enough(struct engine *e, int64_t mono_ms);
/* Peers that can be asked now, and the networks they are in. */
void finds_reach(struct engine *e, size_t *peers, size_t *networks);
void finds_pump(struct engine *e);
void finds_fini(struct engine *e);
/* The best that is not refused and whose body can be had; NULL. */
struct find *finds_best(struct engine *e);
/* The job that took what is at j->source ended so. */
void finds_refuse(struct engine *e, enum reason reason);
/* A job waits in discovering: the best goes to it, now or when the round ends. */
void finds_for_job(struct engine *e);
/* A claim about a checkpoint; url "" when none came with it.  For answers' handlers. */
struct find *finds_add(struct engine *e, struct peer *from,
                       const struct payload_meta *meta, const char *url, bool hostile);
/* {asking, peers, networks, candidates}; begins a round when the last is old. */

/* The block that p's own checkpoint of that height is of; false: it told of none. */
bool finds_word(const struct finds *f, const struct peer *p, uint64_t height,
                uint8_t hash[32]);
/* An offer of p's is on the list. */
bool finds_hold(const struct finds *f, const struct peer *p);

/* --- among the files --- */
void finds_clear(struct finds *f);
int64_t finds_rate_ms(const struct engine *e);
void finds_round_begin(struct engine *e);
void finds_round_end(struct engine *e);

cJSON *finds_json(struct engine *e);

#endif
