#include <stdlib.h>

#include "store/control_impl.h"

void control_job_fini(struct control_job *j)
{
    free(j->kind);
    free(j->request);
    free(j->candidate);
    free(j->idempotency_key);
    free(j->error);
    *j = (struct control_job){0};
}

enum errc control_job_insert(struct control *c, const struct control_job *j,
                             int64_t *id, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_JOB_INSERT);
    enum errc rc;

    db_bind_int(st, 1, j->state);
    db_bind_text(st, 2, j->kind);
    db_bind_text(st, 3, j->request);
    db_bind_text(st, 4, j->candidate);
    db_bind_text(st, 5, j->idempotency_key);
    db_bind_text(st, 6, j->error);
    db_bind_int(st, 7, j->generation);
    db_bind_int(st, 8, j->created_ms);
    db_bind_int(st, 9, j->updated_ms);
    db_bind_int(st, 10, j->ended_ms);
    rc = db_step_done(&c->db, st, "insert job", err);
    if (!rc)
        *id = sqlite3_last_insert_rowid(c->db.handle);
    return rc;
}

static enum errc no_job(int64_t id, struct err *err)
{
    return err_fail(err, REASON_NOT_FOUND, "no job %lld", (long long)id);
}

enum errc control_job_update(struct control *c, const struct control_job *j,
                             struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_JOB_UPDATE);
    enum errc rc;

    db_bind_int(st, 1, j->id);
    db_bind_int(st, 2, j->state);
    db_bind_text(st, 3, j->candidate);
    db_bind_text(st, 4, j->idempotency_key);
    db_bind_text(st, 5, j->error);
    db_bind_int(st, 6, j->generation);
    db_bind_int(st, 7, j->updated_ms);
    db_bind_int(st, 8, j->ended_ms);
    rc = db_step_done(&c->db, st, "update job", err);
    if (!rc && sqlite3_changes(c->db.handle) == 0)
        return no_job(j->id, err);
    return rc;
}

/* The columns are JOB_COLUMNS of control_stmt.def. */
static enum errc read_job(sqlite3_stmt *st, struct control_job *out, struct err *err)
{
    struct control_job j = {
        .id = sqlite3_column_int64(st, 0),
        .state = sqlite3_column_int(st, 1),
        .kind = db_column_dup(st, 2),
        .request = db_column_dup(st, 3),
        .candidate = db_column_dup(st, 4),
        .idempotency_key = db_column_dup(st, 5),
        .error = db_column_dup(st, 6),
        .generation = sqlite3_column_int64(st, 7),
        .created_ms = sqlite3_column_int64(st, 8),
        .updated_ms = sqlite3_column_int64(st, 9),
        .ended_ms = sqlite3_column_int64(st, 10),
    };

    if (!j.kind || !j.request) {
        control_job_fini(&j);
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored job is malformed");
    }
    *out = j;
    return ERR_OK;
}

enum errc control_job_get(struct control *c, int64_t id, struct control_job *out,
                          struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_JOB_GET);
    bool row;
    enum errc rc;

    db_bind_int(st, 1, id);
    rc = db_step_row(&c->db, st, &row, "read job", err);
    if (!rc && !row)
        return no_job(id, err);
    return rc ? rc : read_job(st, out, err);
}

enum errc control_job_find_key(struct control *c, const char *key, bool *found,
                               struct control_job *out, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_JOB_FIND_KEY);
    bool row;
    enum errc rc;

    db_bind_text(st, 1, key);
    rc = db_step_row(&c->db, st, &row, "read job", err);
    if (!rc && row)
        rc = read_job(st, out, err);
    if (!rc)
        *found = row;
    return rc;
}

struct job_walk {
    enum errc (*each)(void *arg, const struct control_job *j, struct err *err);
    void *arg;
};

static enum errc give_job(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct job_walk *w = arg;
    struct control_job j;
    enum errc rc = read_job(st, &j, err);

    if (rc)
        return rc;
    rc = w->each(w->arg, &j, err);
    control_job_fini(&j);
    return rc;
}

/* One parameter over the limit: the page, the filter and the callback of its header. */
/* NOLINTNEXTLINE(readability-function-size) */
enum errc control_job_each(struct control *c, int64_t before_id, size_t limit,
                           bool live_only,
                           enum errc (*each)(void *arg, const struct control_job *j,
                                             struct err *err),
                           void *arg, struct err *err)
{
    DB_STMT(st, &c->db, live_only ? CONTROL_JOB_EACH_LIVE : CONTROL_JOB_EACH);
    struct job_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, control_before(before_id));
    db_bind_int(st, 2, control_limit(limit));
    return db_each_row(&c->db, st, "read jobs", give_job, &w, err);
}
