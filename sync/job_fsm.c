#include <stdlib.h>

#include "sync/job_fsm.h"

/* What every stage before the mount allows beside JOB_EV_OK. */
#define UNMOUNTED                                                \
    [JOB_EV_FAIL] = JOB_FAILED, [JOB_EV_CANCEL] = JOB_CANCELLED, \
    [JOB_EV_RESTART] = JOB_DISCOVERING

/* 0 marks an illegal event; enum job_state starts at 1. */
static const enum job_state edges[JOB_STATE_MAX + 1][JOB_EVENT_MAX + 1] = {
    [JOB_QUEUED] = {[JOB_EV_OK] = JOB_DISCOVERING, UNMOUNTED},
    [JOB_DISCOVERING] = {[JOB_EV_OK] = JOB_DECIDING, UNMOUNTED},
    [JOB_DECIDING] =
        {[JOB_EV_OK] = JOB_PREFLIGHT, [JOB_EV_DRY_DONE] = JOB_DECIDED, UNMOUNTED},
    [JOB_PREFLIGHT] = {[JOB_EV_OK] = JOB_FETCHING, UNMOUNTED},
    [JOB_FETCHING] = {[JOB_EV_OK] = JOB_VERIFYING, UNMOUNTED},
    [JOB_VERIFYING] = {[JOB_EV_OK] = JOB_MOUNTING, UNMOUNTED},
    [JOB_MOUNTING] = {[JOB_EV_OK] = JOB_HEADERS, UNMOUNTED},
    [JOB_HEADERS] = {[JOB_EV_OK] = JOB_BLOCKS,
                     [JOB_EV_CANCEL] = JOB_CANCELLED,
                     [JOB_EV_RESTART] = JOB_HEADERS},
    [JOB_BLOCKS] = {[JOB_EV_OK] = JOB_FOLLOWING,
                    [JOB_EV_CANCEL] = JOB_CANCELLED,
                    [JOB_EV_RESTART] = JOB_HEADERS},
    [JOB_WORKING] = {[JOB_EV_OK] = JOB_DONE,
                     [JOB_EV_FAIL] = JOB_FAILED,
                     [JOB_EV_CANCEL] = JOB_CANCELLED},
};

bool job_fsm_next(enum job_state state, enum job_event event, enum job_state *next)
{
    enum job_state to = edges[state][event];

    if (to == 0)
        return false;
    *next = to;
    return true;
}

bool job_state_is_terminal(enum job_state state)
{
    return state >= JOB_FOLLOWING && state != JOB_WORKING;
}

bool job_state_is_mounted(enum job_state state)
{
    return state == JOB_HEADERS || state == JOB_BLOCKS || state == JOB_FOLLOWING;
}

const char *job_state_name(enum job_state state)
{
    switch (state) {
    case JOB_QUEUED:
        return "queued";
    case JOB_DISCOVERING:
        return "discovering";
    case JOB_DECIDING:
        return "deciding";
    case JOB_PREFLIGHT:
        return "preflight";
    case JOB_FETCHING:
        return "fetching";
    case JOB_VERIFYING:
        return "verifying";
    case JOB_MOUNTING:
        return "mounting";
    case JOB_HEADERS:
        return "headers";
    case JOB_BLOCKS:
        return "blocks";
    case JOB_FOLLOWING:
        return "following";
    case JOB_FAILED:
        return "failed";
    case JOB_CANCELLED:
        return "cancelled";
    case JOB_DECIDED:
        return "decided";
    case JOB_WORKING:
        return "working";
    case JOB_DONE:
        return "done";
    }
    abort();
}

const char *job_state_outcome(enum job_state state)
{
    if (state == JOB_QUEUED)
        return "queued";
    if (state == JOB_FOLLOWING || state == JOB_DECIDED || state == JOB_DONE)
        return "succeeded";
    if (state == JOB_FAILED || state == JOB_CANCELLED)
        return job_state_name(state);
    return "running";
}
