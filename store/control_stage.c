#include <stdlib.h>

#include "store/control_impl.h"

void control_stage_fini(struct control_stage *s)
{
    free(s->outcome);
    free(s->detail);
    *s = (struct control_stage){0};
}

enum errc control_stage_put(struct control *c, const struct control_stage *s,
                            struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_STAGE_PUT);

    db_bind_int(st, 1, s->job_id);
    db_bind_int(st, 2, s->state);
    db_bind_int(st, 3, s->started_ms);
    db_bind_int(st, 4, s->ended_ms);
    db_bind_text(st, 5, s->outcome);
    db_bind_text(st, 6, s->detail);
    return db_step_done(&c->db, st, "store stage", err);
}

struct stage_walk {
    enum errc (*each)(void *arg, const struct control_stage *s, struct err *err);
    void *arg;
};

static enum errc give_stage(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct stage_walk *w = arg;
    struct control_stage s = {
        .job_id = sqlite3_column_int64(st, 0),
        .state = sqlite3_column_int(st, 1),
        .started_ms = sqlite3_column_int64(st, 2),
        .ended_ms = sqlite3_column_int64(st, 3),
        .outcome = db_column_dup(st, 4),
        .detail = db_column_dup(st, 5),
    };
    enum errc rc =
        s.outcome ? w->each(w->arg, &s, err)
                  : err_fail(err, REASON_STORAGE_CORRUPT, "stored stage is malformed");

    control_stage_fini(&s);
    return rc;
}

enum errc control_stage_each(struct control *c, int64_t job_id,
                             enum errc (*each)(void *arg, const struct control_stage *s,
                                               struct err *err),
                             void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_STAGE_EACH);
    struct stage_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, job_id);
    return db_each_row(&c->db, st, "read stages", give_stage, &w, err);
}
