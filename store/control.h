#ifndef STORE_CONTROL_H
#define STORE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * control.db: decisions, audit log, jobs, generations, incidents, peers.  One struct
 * control is one SQLite connection and belongs to one thread; the engine has the only
 * writer.  Texts in the structs filled by the reading functions are owned by the struct
 * and freed by its _fini; those passed in are borrowed.  Times are milliseconds UTC.
 * Documents (verdict, provenance, evidence) are JSON texts, stored as given.
 */
struct control;

enum control_mode { CONTROL_WRITER, CONTROL_READER };

/* The writer creates and migrates.  SCHEMA_NEWER: written by a newer version,
 * untouched; STORAGE_CORRUPT: damaged, untouched, and before it is migrated also in
 * what only the audit log and the rows themselves tell. */
enum errc control_open(const char *path, enum control_mode mode, struct control **out,
                       struct err *err);
void control_close(struct control *c);
DEFINE_CLEANUP(struct control, control_close)

/* A state change, its progress and its audit entry belong in one of these. */
enum errc control_begin(struct control *c, struct err *err);
enum errc control_commit(struct control *c, struct err *err);
void control_rollback(struct control *c);

/* --- jobs --- */
struct control_job {
    int64_t id;
    int state;             /* enum job_state (sync/job_fsm.h); stored: never renumber */
    char *kind;            /* "bootstrap", "rebootstrap" */
    char *request;         /* JSON: what was asked for */
    char *candidate;       /* JSON of the checkpoint chosen; NULL until then */
    char *idempotency_key; /* NULL when none */
    char *error;           /* JSON {reason, stage, detail, retryable, hint}; NULL */
    int64_t generation;    /* being built or built; 0 until then */
    int64_t created_ms, updated_ms, ended_ms; /* ended 0 while it lives */
};
void control_job_fini(struct control_job *j);

enum errc control_job_insert(struct control *c, const struct control_job *j,
                             int64_t *id, struct err *err);
enum errc control_job_update(struct control *c, const struct control_job *j,
                             struct err *err); /* all but id, kind, request, created */
enum errc control_job_get(struct control *c, int64_t id, struct control_job *out,
                          struct err *err); /* NOT_FOUND */
enum errc control_job_find_key(struct control *c, const char *key, bool *found,
                               struct control_job *out, struct err *err);
/* Newest first; before_id 0 starts; each job valid during the call.  live_only: not
 * ended. */
enum errc control_job_each(struct control *c, int64_t before_id, size_t limit,
                           bool live_only,
                           enum errc (*each)(void *arg, const struct control_job *j,
                                             struct err *err),
                           void *arg, struct err *err);

struct control_stage {
    int64_t job_id;
    int state;                    /* enum job_state of the stage */
    int64_t started_ms, ended_ms; /* 0: not ended */
    char *outcome;                /* "running", "succeeded", "failed", "cancelled" */
    char *detail;                 /* text for people, may be NULL */
};
void control_stage_fini(struct control_stage *s);
/* Inserts or replaces the row of (job_id, state). */
enum errc control_stage_put(struct control *c, const struct control_stage *s,
                            struct err *err);
enum errc control_stage_each(struct control *c, int64_t job_id,
                             enum errc (*each)(void *arg, const struct control_stage *s,
                                               struct err *err),
                             void *arg, struct err *err); /* in order of started_ms */

/* --- generations --- */
enum control_generation_state { /* stored: never renumber */
                                CONTROL_GEN_BUILDING = 1,
                                CONTROL_GEN_LIVE = 2, /* exactly one, or none */
                                CONTROL_GEN_RETIRED = 3,
                                CONTROL_GEN_QUARANTINED = 4,
                                CONTROL_GEN_FAILED =
                                    5, /* its directory may be deleted */
};
struct control_generation {
    int64_t id;
    enum control_generation_state state;
    uint64_t height; /* of the base; meaningless while building */
    uint8_t block_hash[32], state_root[32];
    int64_t checkpoint_id; /* 0 while building */
    int64_t created_ms, activated_ms;
};
enum errc control_generation_insert(struct control *c, int64_t now_ms, int64_t *id,
                                    struct err *err); /* BUILDING */
enum errc control_generation_update(struct control *c,
                                    const struct control_generation *g,
                                    struct err *err);
/* Makes id LIVE and the one that was RETIRED. */
enum errc control_generation_activate(struct control *c, int64_t id, int64_t now_ms,
                                      struct err *err);
enum errc control_generation_live(struct control *c, bool *found,
                                  struct control_generation *out, struct err *err);
/* STORAGE_CORRUPT unless the live one, if any, is of the checkpoint that it names. */
enum errc control_generation_check(struct control *c, struct err *err);
enum errc control_generation_each(struct control *c,
                                  enum errc (*each)(void *arg,
                                                    const struct control_generation *g,
                                                    struct err *err),
                                  void *arg, struct err *err); /* newest first */

/* --- checkpoints accepted --- */
struct control_checkpoint {
    int64_t id;
    uint64_t height;
    uint8_t block_hash[32], state_root[32];
    uint8_t work[40]; /* proven, or claimed where provenance says so */
    char *state_hash; /* XAI's, hex; NULL when it had none */
    char *source;     /* URL, path or "inline" */
    char *trust;      /* "attested", "validated" */
    char *provenance; /* JSON document */
    int64_t generation, job_id, accepted_ms;
};
void control_checkpoint_fini(struct control_checkpoint *k);
enum errc control_checkpoint_insert(struct control *c,
                                    const struct control_checkpoint *k, int64_t *id,
                                    struct err *err);
enum errc control_checkpoint_get(struct control *c, int64_t id,
                                 struct control_checkpoint *out, struct err *err);
/* The newest accepted at that height; NOT_FOUND. */
enum errc control_checkpoint_at(struct control *c, uint64_t height,
                                struct control_checkpoint *out, struct err *err);
/* The one accepted last. */
enum errc control_checkpoint_latest(struct control *c, bool *found,
                                    struct control_checkpoint *out, struct err *err);
enum errc control_checkpoint_each(struct control *c, int64_t before_id, size_t limit,
                                  enum errc (*each)(void *arg,
                                                    const struct control_checkpoint *k,
                                                    struct err *err),
                                  void *arg, struct err *err); /* newest first */

/* --- rejections --- */
struct control_rejection {
    int64_t id, at_ms;
    bool has_height;
    uint64_t height;
    char *block_hash, *state_hash; /* hex; NULL when unreadable */
    char *source;                  /* URL, path, "inline" */
    char *peers;                   /* JSON array of the peers that vouched */
    char *reason;                  /* code */
    char *verdict;                 /* JSON document */
};
void control_rejection_fini(struct control_rejection *r);
enum errc control_rejection_insert(struct control *c, const struct control_rejection *r,
                                   int64_t *id, struct err *err);
struct control_rejection_filter {
    int64_t before_id, since_ms; /* 0: any */
    const char *reason, *peer;   /* NULL: any; peer: contained in peers or source */
    bool has_height;
    uint64_t height;
    size_t limit;
};
enum errc control_rejection_each(
    struct control *c, const struct control_rejection_filter *filter,
    enum errc (*each)(void *arg, const struct control_rejection *r, struct err *err),
    void *arg, struct err *err); /* newest first */

struct control_rejection_tally {
    bool by_source; /* else by reason */
    int64_t since_ms;
    size_t limit;
};
/* How many, most first; what is valid during the call. */
enum errc control_rejection_count(struct control *c,
                                  const struct control_rejection_tally *tally,
                                  enum errc (*each)(void *arg, const char *what,
                                                    uint64_t count, struct err *err),
                                  void *arg, struct err *err);

/* --- audit: append-only, hash-chained --- */
struct control_audit {
    int64_t seq, at_ms; /* seq from 1, without gaps */
    char *kind;         /* "checkpoint_accepted", "checkpoint_rejected", ... */
    char *body;         /* JSON document */
    uint8_t prev[32], hash[32];
};
void control_audit_fini(struct control_audit *a);
/* hash = SHA-256 of "cairn-audit-v1\0", prev, seq and at_ms (8 bytes big-endian each),
   kind, NUL, body.  The first prev is 32 zero bytes. */
enum errc control_audit_append(struct control *c, int64_t at_ms, const char *kind,
                               const char *body, struct err *err);
enum errc control_audit_each(struct control *c, int64_t after_seq, size_t limit,
                             enum errc (*each)(void *arg, const struct control_audit *a,
                                               struct err *err),
                             void *arg, struct err *err); /* oldest first */
/* How many entries there are and the hash of the last one (zero when none). */
enum errc control_audit_head(struct control *c, int64_t *entries, uint8_t head[32],
                             struct err *err);
struct control_audit_check {
    bool ok;
    int64_t entries;
    uint8_t head[32];
    int64_t first_bad; /* seq; 0 when ok */
    char what[96];     /* "altered", "missing", "inserted", "tail cut": for people */
};
/* Recomputes the chain; the count and head are kept apart, so a cut tail is seen.  Then
   holds the documents that are stored beside entries (a checkpoint's provenance, a
   rejection's verdict) against the hashes that those give. */
enum errc control_audit_verify(struct control *c, struct control_audit_check *out,
                               struct err *err);

/* --- incidents --- */
struct control_incident {
    int64_t id, opened_ms, resolved_ms; /* resolved 0: open */
    char *kind;                         /* reason code, e.g. "reorg_below_checkpoint" */
    char *subject;  /* what makes two of a kind the same, e.g. the block hash */
    char *evidence; /* JSON document */
    char *resolved_by, *choice, *note; /* who, what, in their words; NULL while open */
};
void control_incident_fini(struct control_incident *i);
/* *fresh false and nothing written when one of this kind and subject is open. */
enum errc control_incident_open(struct control *c, const struct control_incident *i,
                                bool *fresh, int64_t *id, struct err *err);
enum errc control_incident_each(struct control *c, bool open_only, size_t limit,
                                enum errc (*each)(void *arg,
                                                  const struct control_incident *i,
                                                  struct err *err),
                                void *arg, struct err *err); /* newest first */
enum errc control_incident_get(struct control *c, int64_t id,
                               struct control_incident *out,
                               struct err *err); /* NOT_FOUND */
/* resolved_ms, resolved_by, choice and note of i.  CONFLICT when it is not open. */
enum errc control_incident_resolve(struct control *c, const struct control_incident *i,
                                   struct err *err);
enum errc control_incident_count(struct control *c, size_t *open, struct err *err);

/* --- peers: what must survive a restart --- */
struct control_peer {
    char *url; /* key */
    int score;
    uint64_t faults;
    int64_t banned_until_ms;        /* 0: not */
    char *ban_reason;               /* code; NULL */
    char *ban_evidence;             /* text; NULL */
    char *origin;                   /* "configured", "advertised", .. */
    char *source;                   /* network of the peer that told it; NULL */
    char *ip;                       /* last connected to; NULL */
    char *identity;                 /* NULL */
    unsigned tries;                 /* since it last answered */
    int64_t tried_ms, last_good_ms; /* 0: never */
    unsigned bans;
};
void control_peer_fini(struct control_peer *p);
enum errc control_peer_put(struct control *c, const struct control_peer *p,
                           struct err *err);
/* Nothing when there is none. */
enum errc control_peer_delete(struct control *c, const char *url, struct err *err);
enum errc control_peer_each(struct control *c,
                            enum errc (*each)(void *arg, const struct control_peer *p,
                                              struct err *err),
                            void *arg, struct err *err);

/* --- meta: small facts, e.g. "network", checked at start --- */
enum errc control_meta_get(struct control *c, const char *key, bool *found,
                           char **value,
                           struct err *err); /* *value is the caller's to free */
enum errc control_meta_set(struct control *c, const char *key, const char *value,
                           struct err *err);

#endif
