#ifndef SYNC_ERRAND_H
#define SYNC_ERRAND_H

#include "sync/core.h"

/*
 * Jobs beside the bootstrap: long work on files of its own (a snapshot is made,
 * checked, copied) while the node follows or another job runs.  They have workers of
 * their own, of low priority, so that blocks never wait for them.  A job is in stage
 * working until its worker came back; its end, what came of it and the audit entries
 * are one transaction.  One that a restart interrupted has failed: nothing resumes.
 */
struct errand {
    struct job_task base; /* base.task.cancel: give up; set by the engine */
    const char *kind;     /* of the job; a constant, as the next */
    const char *act;      /* the method, for the audit log */
    cJSON *request;       /* what was asked for, as jobs.get shows it; owned */
    /* The worker's thread.  It leaves no half-made file, whatever it returns. */
    enum errc (*run)(struct errand *t, struct err *err);
    /* The engine's thread, inside the transaction that ends the job well; NULL: nothing
       to do.  *result: as jobs.get shows it, taken over; an error fails the job. */
    enum errc (*finish)(struct engine *e, struct errand *t, cJSON **result,
                        struct err *err);
    void (*free)(struct errand *t); /* all of it */

    const char *unit; /* of done: "bytes", "coins"; a constant */
    _Atomic uint64_t done, total;

    /* errands.c's */
    int64_t job_id, started_mono_ms, pause_ms;
    struct control_job row;
    struct err err;
    struct call *cancelling;
    bool ended; /* and the end is not written yet */
    int64_t retry_mono_ms;
};

/* Takes t.  *result: {job_id}; of the job that has the request's idempotency key
   already, if there is one.  BUSY when there are ERRANDS_MAX, or one of this kind. */
enum errc errands_start(struct engine *e, const struct engine_request *req,
                        struct errand *t, cJSON **result, struct err *err);
bool errands_running(const struct engine *e, const char *kind);
/* True: the job is an errand under way, and the call is answered when it ended. */
bool errands_cancel(struct engine *e, struct call *call);
/* What was under way at the last end of the daemon has failed. */
enum errc errands_fail_old(struct engine *e, struct err *err);
/* The engine was busy for so long in one turn. */
void errands_note_turn(struct engine *e, int64_t ms);
void errands_pump(struct engine *e);
void errands_publish(const struct engine *e, struct engine_status *s);
void errands_answer(struct engine *e);    /* calls that wait, with SHUTTING_DOWN */
void errands_abort(struct engine *e);     /* the same, and all give up */
bool errands_out(const struct engine *e); /* a worker has one */
void errands_fini(struct engine *e);      /* no worker has */
/* The longest turn of the engine while t ran: an upper bound of what it cost whoever
   waited for the writer. */
int64_t errands_pause_ms(const struct errand *t);

#endif
