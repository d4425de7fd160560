#include <inttypes.h>
#include <stdlib.h>

#include "base/chan.h"
#include "base/mem.h"
#include "sync/job_fsm.h"
#include "sync/reads.h"

/* About as many as there are threads that read at once: the HTTP pools and the waiter.
 */
enum { READERS_KEPT = 8 };

struct reads {
    struct engine *engine;
    const char *data_dir;
    struct chan *idle;
};

struct reads *reads_create(struct engine *engine, const char *data_dir)
{
    struct reads *r = xcalloc(1, sizeof(*r));

    r->engine = engine;
    r->data_dir = data_dir;
    r->idle = chan_create(READERS_KEPT);
    return r;
}

static void close_chain(struct reader *reader)
{
    state_close(TAKE(reader->state));
    chaindb_close(TAKE(reader->chain));
    reader->generation = 0;
}

static void reader_free(struct reader *reader)
{
    close_chain(reader);
    control_close(reader->control);
    free(reader);
}

void reads_free(struct reads *r)
{
    struct reader *reader;

    if (!r)
        return;
    while ((reader = chan_recv_for(r->idle, 0)))
        reader_free(reader);
    chan_free(r->idle);
    free(r);
}

void reader_release(struct reader *reader)
{
    if (!reader)
        return;
    if (reader->in_control)
        control_rollback(reader->control);
    if (reader->in_chain)
        chaindb_rollback(reader->chain);
    reader->in_control = reader->in_chain = false;
    if (!chan_try_send(reader->home->idle, reader))
        reader_free(reader);
}

static struct reader *take(struct reads *r)
{
    struct reader *reader = chan_recv_for(r->idle, 0);

    if (!reader) {
        reader = xcalloc(1, sizeof(*reader));
        reader->home = r;
    }
    return reader;
}

enum errc reads_control(struct reads *r, struct reader **out, struct err *err)
{
    CLEANUP(reader_release) struct reader *reader = take(r);
    enum errc rc = ERR_OK;

    if (!reader->control) {
        AUTOFREE char *path = xasprintf("%s/control.db", r->data_dir);

        rc = control_open(path, CONTROL_READER, &reader->control, err);
    }
    if (rc == ERR_OK)
        rc = control_begin(reader->control, err);
    if (rc)
        return rc;
    reader->in_control = true;
    *out = TAKE(reader);
    return ERR_OK;
}

static enum errc open_chain(struct reader *reader, int64_t generation, struct err *err)
{
    AUTOFREE char *dir =
        xasprintf("%s/generations/%" PRId64, reader->home->data_dir, generation);
    AUTOFREE char *path = xasprintf("%s/chain.db", dir);

    close_chain(reader);
    if (chaindb_open(path, CHAINDB_READER, &reader->chain, err) ||
        state_open(dir, reader->chain, &reader->state, err)) {
        close_chain(reader);
        return err->code;
    }
    reader->generation = generation;
    return ERR_OK;
}

enum errc reads_chain(struct reads *r, struct reader **out, struct err *err)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct engine_status status;

    engine_status(r->engine, &status);
    if (status.generation == 0)
        return err_set(err, ERR_CONFLICT,
                       "no state yet: no checkpoint is mounted and no chain is synced");
    reader = take(r);
    if (reader->generation != status.generation &&
        open_chain(reader, status.generation, err))
        return err->code;
    if (chaindb_begin(reader->chain, err))
        return err->code;
    reader->in_chain = true;
    *out = TAKE(reader);
    return ERR_OK;
}

enum errc reads_job_ended(struct reads *r, int64_t job_id, bool *ended, struct err *err)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct control_job job;

    if (reads_control(r, &reader, err) ||
        control_job_get(reader->control, job_id, &job, err))
        return err->code;
    *ended = job_state_is_terminal((enum job_state)job.state);
    control_job_fini(&job);
    return ERR_OK;
}
