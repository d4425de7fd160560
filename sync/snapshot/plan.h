#ifndef SYNC_SNAPSHOT_PLAN_H
#define SYNC_SNAPSHOT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"

/*
 * Which part of a snapshot's frames to ask of which source next.  Pure: no I/O, no
 * clock (milliseconds of a monotonic clock are passed in), no threads.
 *
 * The body is a row of frames, each proven alone.  A piece is a run of whole frames; it
 * is asked of a source, arrives or fails, and when it arrived its frames are verified
 * one by one.  What was verified is never asked for again; what was not is missing
 * again once nobody is asked for it any more.
 *
 * Each source is given more as fast as it delivers, so they are striped by their rates.
 * When nothing is missing, the pieces that will be there last are asked of a faster
 * source too, and whoever comes second is cancelled.
 */
enum {
    PLAN_SOURCES_MAX = 64,
    PLAN_ASKS_MAX = 64,    /* asked for, and not verified through */
    PLAN_WINDOW_S = 10,    /* over which a source's speed counts */
    PLAN_SLOW_DROPS = 5,   /* sources given up as too slow; then no more */
    PLAN_FAILURES_MAX = 5, /* of a source, one after another */
};

struct plan_limits {
    unsigned per_source, total; /* requests under way */
    uint64_t min_speed;         /* bytes a second; 0: any */
    uint64_t bandwidth;         /* bytes a second of all together; 0: any */
    uint64_t piece;             /* bytes of a piece, unless one frame has more */
    uint64_t in_hand;           /* bytes asked for and not verified through */
};

/* Bytes a second over the last seconds in which something was under way. */
struct plan_meter {
    int64_t last_ms;    /* of active_ms */
    uint64_t active_ms; /* with a request under way */
    uint64_t bytes;
    struct {
        uint64_t active_ms, bytes;
    } marks[PLAN_WINDOW_S + 1]; /* a ring: one a second of active_ms */
    size_t marked;              /* so many were ever set */
};

struct plan_source {
    bool dropped; /* for this download */
    bool blamed;  /* it gave what does not hold */
    bool proven;  /* a piece of it held */
    enum reason reason;
    char why[120]; /* it was dropped, or failed last; "" */
    unsigned in_flight;
    unsigned errors, failures; /* all; in a row */
    int64_t failed_ms;         /* the last time; 0: never */
    int64_t wait_until_ms;     /* not asked before */
    struct plan_meter meter;
};

struct plan_ask {
    bool used;
    bool arrived; /* all bytes are here; they are being verified */
    bool lost;    /* no longer wanted: to be cancelled */
    bool hedge;
    size_t source;
    uint32_t first, count; /* frames */
    uint64_t from, len;    /* bytes of the body */
    uint64_t received;
    int64_t asked_ms, moved_ms; /* when it began, and when more of it came last */
};

struct plan {
    struct plan_limits limits;
    uint32_t frames, verified;
    uint64_t bytes_verified;
    uint64_t *ends; /* of each frame in the body */
    uint8_t *marks; /* of each frame: VERIFIED, and how many asks have it */
    uint32_t hint;  /* no missing frame is below */
    struct plan_source sources[PLAN_SOURCES_MAX];
    size_t source_count;
    struct plan_ask asks[PLAN_ASKS_MAX];
    unsigned slow_drops;
    bool keeps_slow; /* PLAN_SLOW_DROPS were reached: the best there is stays */
    double tokens;   /* of the bandwidth */
    int64_t filled_ms;
};

/* Of no frames yet: sources may come before them. */
struct plan *plan_create(const struct plan_limits *limits);
/* Once.  length(arg, i): bytes of frame i, more than 0. */
void plan_set_frames(struct plan *p, uint32_t frames,
                     uint32_t (*length)(const void *arg, uint32_t i), const void *arg);
void plan_free(struct plan *p);
DEFINE_CLEANUP(struct plan, plan_free)

/* False when there are PLAN_SOURCES_MAX.  Sources are numbered from 0. */
bool plan_add_source(struct plan *p);

/* Something is to be asked for now: asks[*ask] says what, and of whom. */
bool plan_next(struct plan *p, int64_t now_ms, size_t *ask);
/* So many bytes of it are here by now. */
void plan_received(struct plan *p, size_t ask, uint64_t bytes, int64_t now_ms);
/* All of it is: its source is free for more. */
void plan_arrived(struct plan *p, size_t ask, int64_t now_ms);
/* Of an ask or of what an earlier run left.  Asks that only had verified frames left
   become lost. */
void plan_verified(struct plan *p, uint32_t frame);
bool plan_is_verified(const struct plan *p, uint32_t frame);
/* Nothing more comes of the ask: it arrived and was verified as far as that went, or
   was cancelled. */
void plan_end(struct plan *p, size_t ask, int64_t now_ms);

enum plan_fault {
    PLAN_FAILED,  /* asked again after a while, PLAN_FAILURES_MAX times in a row */
    PLAN_LATER,   /* it wants to be left alone for wait_ms */
    PLAN_USELESS, /* it cannot serve this body: dropped */
};
struct plan_failure {
    enum plan_fault fault;
    uint32_t wait_ms;
    enum reason reason;
    char why[120];
};
/* The ask came to nothing, and ends. */
void plan_failed(struct plan *p, size_t ask, const struct plan_failure *f,
                 int64_t now_ms);
/* The source gave what does not hold: dropped, its asks that are under way lost. */
void plan_blame(struct plan *p, size_t source, enum reason reason, const char *why);
/* Dropped without blame. */
void plan_drop(struct plan *p, size_t source, enum reason reason, const char *why);

/* A source that is under min_speed over the window while another is twice as fast is
   dropped.  True and *source when one was. */
bool plan_drop_slow(struct plan *p, int64_t now_ms, size_t *source);

bool plan_is_whole(const struct plan *p);
/* No source is left. */
bool plan_is_stuck(const struct plan *p);
/* Bytes a second of one, at least; 0 while nothing came. */
double plan_rate(const struct plan *p, size_t source);

/* --- of plan*.c only --- */
enum { PLAN_VERIFIED = 0x80 };
bool plan_may_ask(const struct plan *p, size_t source, int64_t now_ms);
size_t plan_begin(struct plan *p, const struct plan_ask *ask, int64_t now_ms);
bool plan_has_room(const struct plan *p, uint64_t len);
bool plan_hedge(struct plan *p, int64_t now_ms, size_t *ask);
void plan_meter_run(struct plan_source *s, int64_t now_ms);

#endif
