#include <stdlib.h>

#include "store/control_impl.h"

void control_rejection_fini(struct control_rejection *r)
{
    free(r->block_hash);
    free(r->state_hash);
    free(r->source);
    free(r->peers);
    free(r->reason);
    free(r->verdict);
    *r = (struct control_rejection){0};
}

enum errc control_rejection_insert(struct control *c, const struct control_rejection *r,
                                   int64_t *id, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_REJECTION_INSERT);
    enum errc rc;

    db_bind_int(st, 1, r->at_ms);
    /* A height over 2^63 is no height: the verdict still has it as it was announced. */
    if (r->has_height && r->height <= INT64_MAX)
        db_bind_int(st, 2, (int64_t)r->height);
    db_bind_text(st, 3, r->block_hash);
    db_bind_text(st, 4, r->state_hash);
    db_bind_text(st, 5, r->source);
    db_bind_text(st, 6, r->peers);
    db_bind_text(st, 7, r->reason);
    db_bind_text(st, 8, r->verdict);
    rc = db_step_done(&c->db, st, "insert rejection", err);
    if (!rc)
        *id = sqlite3_last_insert_rowid(c->db.handle);
    return rc;
}

struct rejection_walk {
    enum errc (*each)(void *arg, const struct control_rejection *r, struct err *err);
    void *arg;
};

static enum errc give_rejection(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct rejection_walk *w = arg;
    struct control_rejection r = {
        .id = sqlite3_column_int64(st, 0),
        .at_ms = sqlite3_column_int64(st, 1),
        .has_height = sqlite3_column_type(st, 2) != SQLITE_NULL,
        .height = (uint64_t)sqlite3_column_int64(st, 2),
        .block_hash = db_column_dup(st, 3),
        .state_hash = db_column_dup(st, 4),
        .source = db_column_dup(st, 5),
        .peers = db_column_dup(st, 6),
        .reason = db_column_dup(st, 7),
        .verdict = db_column_dup(st, 8),
    };
    enum errc rc =
        r.source && r.peers && r.reason && r.verdict
            ? w->each(w->arg, &r, err)
            : err_fail(err, REASON_STORAGE_CORRUPT, "stored rejection is malformed");

    control_rejection_fini(&r);
    return rc;
}

enum errc control_rejection_each(
    struct control *c, const struct control_rejection_filter *filter,
    enum errc (*each)(void *arg, const struct control_rejection *r, struct err *err),
    void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_REJECTION_EACH);
    struct rejection_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, control_before(filter->before_id));
    db_bind_int(st, 2, filter->since_ms);
    db_bind_text(st, 3, filter->reason);
    db_bind_text(st, 4, filter->peer);
    if (filter->has_height)
        db_bind_int(st, 5, filter->height > INT64_MAX ? -1 : (int64_t)filter->height);
    db_bind_int(st, 6, control_limit(filter->limit));
    return db_each_row(&c->db, st, "read rejections", give_rejection, &w, err);
}

struct count_walk {
    enum errc (*each)(void *arg, const char *what, uint64_t count, struct err *err);
    void *arg;
};

static enum errc give_count(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct count_walk *w = arg;
    const char *what = (const char *)sqlite3_column_text(st, 0);

    if (!what)
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored rejection is malformed");
    return w->each(w->arg, what, (uint64_t)sqlite3_column_int64(st, 1), err);
}

enum errc control_rejection_count(struct control *c,
                                  const struct control_rejection_tally *tally,
                                  enum errc (*each)(void *arg, const char *what,
                                                    uint64_t count, struct err *err),
                                  void *arg, struct err *err)
{
    DB_STMT(st, &c->db,
            tally->by_source ? CONTROL_REJECTION_BY_SOURCE
                             : CONTROL_REJECTION_BY_REASON);
    struct count_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, tally->since_ms);
    db_bind_int(st, 2, control_limit(tally->limit));
    return db_each_row(&c->db, st, "count rejections", give_count, &w, err);
}
