#ifndef SYNC_SNAPPUBLISH_H
#define SYNC_SNAPPUBLISH_H

#include "sync/core.h"
#include "sync/publish/publish.h"

/* The object store of the configuration: docs/publishing.md.  The engine's thread,
   unless said otherwise. */
#define SNAPPUBLISH_KIND "snapshot_publish"

/* --- snappublish.c: jobs --- */
/* snapshot.publish of one that is here.  *result: {job_id}. */
enum errc snappublish_start(struct engine *e, const struct engine_request *req,
                            cJSON **result, struct err *err);
/* snapshot.unpublish of one that was withdrawn here. */
enum errc snappublish_withdraw(struct engine *e, const struct engine_request *req,
                               cJSON **result, struct err *err);
bool snappublish_has_store(const struct engine *e);

/* What a job needs of the store, for as long as it runs: credentials are read when it
   begins, so that they can be changed.  Any thread. */
struct snappublish_access {
    struct s3target *target;
    struct s3keys *keys;
    struct publish_store store; /* borrows both, and cancel */
};
enum errc snappublish_open(const struct engine_publish *cfg, const atomic_bool *cancel,
                           struct snappublish_access *out, struct err *err);
void snappublish_close(struct snappublish_access *a);

/* --- snapwatch.c: what nobody asked for --- */
/* Publishes what has its signatures, and looks at what is published. */
void snapwatch_pump(struct engine *e);
void snapwatch_published(struct engine *e,
                         const struct manifest *m); /* look at it soon */
void snapwatch_abort(struct engine *e);

#endif
