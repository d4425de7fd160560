#ifndef SYNC_SNAPSHOTS_H
#define SYNC_SNAPSHOTS_H

#include "sync/core.h"
#include "sync/snapshot/manifest.h"

/* What a publisher does with snapshots, on the engine's thread: docs/publishing.md. */

/* --- snapmake.c: snapshot.create, a job of this kind --- */
#define SNAPMAKE_KIND "snapshot"
enum errc snapmake_start(struct engine *e, const struct engine_request *req,
                         cJSON **result, struct err *err);

/* --- snapverify.c: snapshot.verify, a job --- */
enum errc snapverify_start(struct engine *e, const struct engine_request *req,
                           cJSON **result, struct err *err);

/* --- snapexport.c: snapshot.export and snapshot.delta, jobs --- */
enum errc snapexport_start(struct engine *e, const struct engine_request *req,
                           cJSON **result, struct err *err);
enum errc snapdelta_start(struct engine *e, const struct engine_request *req,
                          cJSON **result, struct err *err);

/* Its chunks are served no more. */
void snapexport_forget(const struct engine *e, const struct manifest *m);

/* --- snapshots.c: what takes no time --- */
enum errc snapshots_merge(struct engine *e, const struct engine_request *req,
                          cJSON **result, struct err *err);
enum errc snapshots_withdraw(struct engine *e, const struct engine_request *req,
                             cJSON **result, struct err *err);
enum errc snapshots_delete(struct engine *e, const struct engine_request *req,
                           cJSON **result, struct err *err);

/* --- snapplan.c: the schedule --- */
void snapplan_pump(struct engine *e);
/* One was made; those that the schedule does not keep go. */
void snapplan_made(struct engine *e, uint64_t height);

#endif
