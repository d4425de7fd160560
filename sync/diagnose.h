#ifndef SYNC_DIAGNOSE_H
#define SYNC_DIAGNOSE_H

#include "sync/core.h"

/*
 * The one thing that blocks progress, for health.diagnose: what stops everything first,
 * then what waits for the operator, then what keeps the node from a state or from the
 * tip.  Engine thread.
 */

/* A job ended so; a good end forgets the failure. */
void diagnose_job_failed(struct engine *e, const struct err *why);
void diagnose_job_succeeded(struct engine *e);
/* After a restart: what the newest job died of. */
enum errc diagnose_load(struct engine *e, struct err *err);

/* Into s, which has the rest already; since holds while the cause stays. */
void diagnose_into(struct engine *e, struct engine_status *s);

#endif
