#ifndef SYNC_READS_H
#define SYNC_READS_H

#include "base/cleanup.h"
#include "store/control.h"
#include "store/state.h"
#include "sync/engine.h"

/*
 * Read-only connections for the threads that answer others.  A reader is one thread's
 * from reads_* to reader_release and sees one moment of the database it was taken for;
 * the free ones wait in a channel.  Opened when first needed.
 */
struct reads;

struct reader {
    struct control *control;
    int64_t generation; /* the one chain and state are of; 0: not open */
    struct chaindb *chain;
    struct state *state;
    struct reads *home;
    bool in_control, in_chain; /* a read transaction is open */
};

struct reads *reads_create(struct engine *engine, const char *data_dir);
/* No reader may be in use.  NULL: no-op. */
void reads_free(struct reads *r);

/* A reader of control.db, in one read transaction. */
enum errc reads_control(struct reads *r, struct reader **out, struct err *err);
/* A reader of the live generation, in one read transaction.  CONFLICT without one. */
enum errc reads_chain(struct reads *r, struct reader **out, struct err *err);
/* NOT_FOUND when there is no such job. */
enum errc reads_job_ended(struct reads *r, int64_t job_id, bool *ended,
                          struct err *err);
void reader_release(struct reader *reader); /* NULL: no-op */
DEFINE_CLEANUP(struct reader, reader_release)

#endif
