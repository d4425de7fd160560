#ifndef SYNC_JOB_FSM_H
#define SYNC_JOB_FSM_H

#include <stdbool.h>

/*
 * Life of a bootstrap job.  Values are stored in the database: never renumber.
 *
 *   QUEUED -> DISCOVERING -> DECIDING -> PREFLIGHT -> FETCHING -> VERIFYING -> MOUNTING
 *                                                                                 |
 *                                             FOLLOWING <- BLOCKS <- HEADERS <----+
 *   before MOUNTING is done: -> FAILED on FAIL, -> CANCELLED on CANCEL, and back to
 *   DISCOVERING on RESTART (the daemon was restarted; each stage finds what it left)
 *   after it the generation is live: HEADERS and BLOCKS resume where they were, and
 *   CANCEL ends the job but not the catch-up.
 *   A dry run ends in DECIDED, from DECIDING, when nothing failed so far.
 *   Jobs of other kinds (sync/errand.h) have one stage: WORKING -> DONE on OK, FAILED
 * on FAIL, CANCELLED on CANCEL.
 *
 * FOLLOWING is the end of a job that succeeded; the node goes on following without one.
 */
enum job_state {
    JOB_QUEUED = 1,
    JOB_DISCOVERING = 2,
    JOB_DECIDING = 3,
    JOB_PREFLIGHT = 4,
    JOB_FETCHING = 5,
    JOB_VERIFYING = 6,
    JOB_MOUNTING = 7,
    JOB_HEADERS = 8,
    JOB_BLOCKS = 9,
    JOB_FOLLOWING = 10,
    JOB_FAILED = 11,
    JOB_CANCELLED = 12,
    JOB_DECIDED = 13,
    JOB_WORKING = 14,
    JOB_DONE = 15,
};
#define JOB_STATE_MAX JOB_DONE

enum job_event {
    JOB_EV_OK,       /* the stage did its work */
    JOB_EV_FAIL,     /* no way forward */
    JOB_EV_CANCEL,   /* the operator asked */
    JOB_EV_RESTART,  /* the daemon was started again */
    JOB_EV_DRY_DONE, /* all rules that need no body were looked at, and none failed */
};
#define JOB_EVENT_MAX JOB_EV_DRY_DONE

/*
 * The whole machine: true and *next set if event is legal in state, false (next
 * untouched) otherwise.  Pure; the engine does the effects.
 */
bool job_fsm_next(enum job_state state, enum job_event event, enum job_state *next);

bool job_state_is_terminal(enum job_state state);
/* The generation the job built is live: nothing is lost by ending the job. */
bool job_state_is_mounted(enum job_state state);
/* Stage name, e.g. "discovering"; also the states of sync.status. */
const char *job_state_name(enum job_state state);
/* "queued", "running", "succeeded", "failed", "cancelled" (jobs.get's state). */
const char *job_state_outcome(enum job_state state);

#endif
