#include <stdlib.h>

#include "store/control_impl.h"

void control_incident_fini(struct control_incident *i)
{
    free(i->kind);
    free(i->subject);
    free(i->evidence);
    free(i->resolved_by);
    free(i->choice);
    free(i->note);
    *i = (struct control_incident){0};
}

static enum errc find_open(struct control *c, const struct control_incident *i,
                           int64_t *id, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_INCIDENT_FIND);
    bool row;
    enum errc rc;

    db_bind_text(st, 1, i->kind);
    db_bind_text(st, 2, i->subject);
    rc = db_step_row(&c->db, st, &row, "read incident", err);
    if (!rc && !row)
        return err_fail(err, REASON_STORAGE_CORRUPT, "an open incident is not found");
    if (!rc)
        *id = sqlite3_column_int64(st, 0);
    return rc;
}

enum errc control_incident_open(struct control *c, const struct control_incident *i,
                                bool *fresh, int64_t *id, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_INCIDENT_OPEN);
    enum errc rc;

    db_bind_int(st, 1, i->opened_ms);
    db_bind_text(st, 2, i->kind);
    db_bind_text(st, 3, i->subject);
    db_bind_text(st, 4, i->evidence);
    rc = db_step_done(&c->db, st, "open incident", err);
    if (rc)
        return rc;
    *fresh = sqlite3_changes(c->db.handle) == 1;
    if (!*fresh)
        return find_open(c, i, id, err);
    *id = sqlite3_last_insert_rowid(c->db.handle);
    return ERR_OK;
}

struct incident_walk {
    enum errc (*each)(void *arg, const struct control_incident *i, struct err *err);
    void *arg;
};

/* *out is the caller's also when it is malformed. */
static enum errc read_incident(sqlite3_stmt *st, struct control_incident *out,
                               struct err *err)
{
    *out = (struct control_incident){
        .id = sqlite3_column_int64(st, 0),
        .opened_ms = sqlite3_column_int64(st, 1),
        .resolved_ms = sqlite3_column_int64(st, 2),
        .kind = db_column_dup(st, 3),
        .subject = db_column_dup(st, 4),
        .evidence = db_column_dup(st, 5),
        .resolved_by = db_column_dup(st, 6),
        .choice = db_column_dup(st, 7),
        .note = db_column_dup(st, 8),
    };
    if (!out->kind || !out->subject || !out->evidence)
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored incident is malformed");
    return ERR_OK;
}

static enum errc give_incident(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct incident_walk *w = arg;
    struct control_incident i;
    enum errc rc = read_incident(st, &i, err);

    if (!rc)
        rc = w->each(w->arg, &i, err);
    control_incident_fini(&i);
    return rc;
}

enum errc control_incident_each(struct control *c, bool open_only, size_t limit,
                                enum errc (*each)(void *arg,
                                                  const struct control_incident *i,
                                                  struct err *err),
                                void *arg, struct err *err)
{
    DB_STMT(st, &c->db, open_only ? CONTROL_INCIDENT_EACH_OPEN : CONTROL_INCIDENT_EACH);
    struct incident_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, control_limit(limit));
    return db_each_row(&c->db, st, "read incidents", give_incident, &w, err);
}

enum errc control_incident_get(struct control *c, int64_t id,
                               struct control_incident *out, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_INCIDENT_GET);
    struct control_incident i;
    bool row;

    db_bind_int(st, 1, id);
    if (db_step_row(&c->db, st, &row, "read incident", err))
        return err->code;
    if (!row)
        return err_set(err, ERR_NOTFOUND, "no incident %lld", (long long)id);
    if (read_incident(st, &i, err)) {
        control_incident_fini(&i);
        return err->code;
    }
    *out = i;
    return ERR_OK;
}

enum errc control_incident_resolve(struct control *c, const struct control_incident *i,
                                   struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_INCIDENT_RESOLVE);

    db_bind_int(st, 1, i->id);
    db_bind_int(st, 2, i->resolved_ms);
    db_bind_text(st, 3, i->resolved_by);
    db_bind_text(st, 4, i->choice);
    db_bind_text(st, 5, i->note);
    if (db_step_done(&c->db, st, "resolve incident", err))
        return err->code;
    if (sqlite3_changes(c->db.handle) != 1)
        return err_set(err, ERR_CONFLICT, "incident %lld is not open",
                       (long long)i->id);
    return ERR_OK;
}

enum errc control_incident_count(struct control *c, size_t *open, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_INCIDENT_COUNT);
    bool row;
    enum errc rc = db_step_row(&c->db, st, &row, "count incidents", err);

    if (!rc)
        *open = row ? (size_t)sqlite3_column_int64(st, 0) : 0;
    return rc;
}
