#ifndef SYNC_BODY_IMPL_H
#define SYNC_BODY_IMPL_H

#include "sync/body.h"
#include "sync/body_files.h"
#include "sync/snapshot/manifest.h"
#include "sync/snapshot/plan.h"

/* The inside of struct body, for body*.c. */
enum {
    BODY_CONNECT_MS = 10000,
    BODY_REDIRECTS = 5,
    BODY_SPEED_WINDOW_S = 10,
    BODY_LEAST_SPEED = 256, /* bytes a second of one request: less is a stall */
    BODY_STALL_MS = 15000,  /* without a byte a request is given up */
    BODY_RETRY_AFTER_MAX_S = 600,
    BODY_SCANS = 8,
};

enum body_phase {
    BODY_IDLE,   /* not begun */
    BODY_TABLE,  /* the chunk table is on its way */
    BODY_OPEN,   /* a worker checks it, and opens the files */
    BODY_SCAN,   /* workers look at what an earlier run left */
    BODY_PIECES, /* the frames */
    BODY_FINISH, /* a worker writes the index */
    BODY_DONE,
};

struct body_source {
    char at[URL_MAX];  /* base URL or directory, without a slash at its end */
    bool is_dir;       /* a directory of this machine */
    bool hostile;      /* somebody's word */
    struct peer *peer; /* held; NULL: none */
    uint64_t bytes;    /* that came from it */
    uint64_t verified; /* and held */
};

struct body {
    struct manifest *manifest;
    struct manifest_texts *texts;
    uint8_t digest[32];
    char id[MANIFEST_ID];
    char at[URL_MAX]; /* the manifest's own URL or path */
    bool hopped;      /* over a pointer to the latest */
    bool replaced;    /* what an earlier run fetched was of another manifest */
    enum body_phase phase;

    struct body_source sources[PLAN_SOURCES_MAX];
    struct plan *plan; /* its sources are these, by number */
    struct body_files *files;
    struct transfer_request *requests[PLAN_ASKS_MAX];
    int64_t published_mono_ms, peers_mono_ms;

    /* the table */
    size_t table_turn; /* whose turn it is */
    size_t table_from; /* who gave it; PLAN_SOURCES_MAX: an earlier run had it */
    unsigned table_tries;
    int64_t table_at_mono_ms; /* of the next try; 0: none */
    bool table_busy;

    unsigned scans_out, checks_out;
    uint64_t found_bytes;   /* of frames that were there */
    uint64_t fetched_bytes; /* in all */
};

/* --- body_sources.c --- */
/* Everybody who may have it; may be called again for those who came since. */
void body_sources_find(struct engine *e);
/* It gave what does not hold: dropped, and banned when it is a peer. */
void body_sources_blame(struct engine *e, size_t source, const struct err *why);
/* URL of one of its files, the caller's. */
char *body_sources_url(const struct body_source *s, const char *file);
/* What the end of a request says of its source; false: it is a good answer.  whole: the
   bytes of the resource that was asked for. */
bool body_sources_fault(const struct transfer_request *r, uint64_t whole,
                        struct plan_failure *out);

/* --- body_table.c --- */
void body_table_begin(struct engine *e);
void body_table_pump(struct engine *e);
/* What the source that gave the table turned out to have. */
void body_table_failed(struct engine *e, const struct err *why);

/* --- body_pieces.c --- */
void body_pieces_pump(struct engine *e);

/* --- body_check.c: tasks of the workers --- */
/* from: a file that the table is to be copied from; NULL: it is there. */
void body_check_open(struct engine *e, const char *from);
void body_check_scan(struct engine *e);
/* bytes are taken over; NULL: they are read from the source's directory. */
void body_check_piece(struct engine *e, size_t ask, char *bytes);
void body_check_finish(struct engine *e);

/* --- body.c --- */
void body_opened(struct engine *e, const struct err *why);
void body_scanned(struct engine *e);
void body_checked(struct engine *e, size_t ask, uint32_t good, const struct err *why);
void body_finished(struct engine *e, const struct err *why);
/* The manifest's own signers vouch for what cannot be: the checkpoint is refused. */
void body_refuse(struct engine *e, const struct err *why);

#endif
