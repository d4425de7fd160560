#include <stdlib.h>
#include <string.h>

#include "store/control_audit_hash.h"
#include "store/control_impl.h"

void control_audit_fini(struct control_audit *a)
{
    free(a->kind);
    free(a->body);
    *a = (struct control_audit){0};
}

/* What the next entry follows on. */
static enum errc follow_head(struct control *c, struct control_audit_entry *e,
                             struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_AUDIT_HEAD);
    bool row;
    enum errc rc = db_step_row(&c->db, st, &row, "read audit head", err);

    if (rc)
        return rc;
    if (!row || !db_column_blob(st, 1, e->prev, 32))
        return err_fail(err, REASON_STORAGE_CORRUPT, "the audit log has no head");
    e->seq = sqlite3_column_int64(st, 0) + 1;
    return ERR_OK;
}

enum errc control_audit_head(struct control *c, int64_t *entries, uint8_t head[32],
                             struct err *err)
{
    struct control_audit_entry next = {0};

    if (follow_head(c, &next, err))
        return err->code;
    *entries = next.seq - 1;
    memcpy(head, next.prev, 32);
    return ERR_OK;
}

static enum errc insert_entry(struct control *c, const struct control_audit_entry *e,
                              struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_AUDIT_APPEND);

    db_bind_int(st, 1, e->seq);
    db_bind_int(st, 2, e->at_ms);
    db_bind_text(st, 3, e->kind);
    db_bind_text(st, 4, e->body);
    db_bind_blob(st, 5, e->prev, 32);
    db_bind_blob(st, 6, e->hash, 32);
    return db_step_done(&c->db, st, "append to the audit log", err);
}

static enum errc set_head(struct control *c, const struct control_audit_entry *e,
                          struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_AUDIT_HEAD_SET);

    db_bind_int(st, 1, e->seq);
    db_bind_blob(st, 2, e->hash, 32);
    return db_step_one(&c->db, st, "set audit head", err);
}

enum errc control_audit_append(struct control *c, int64_t at_ms, const char *kind,
                               const char *body, struct err *err)
{
    struct control_audit_entry e = {.at_ms = at_ms, .kind = kind, .body = body};
    enum errc rc = db_save(&c->db, err);

    if (rc)
        return rc;
    rc = follow_head(c, &e, err);
    if (!rc) {
        control_audit_hash(&e, e.hash);
        rc = insert_entry(c, &e, err);
    }
    if (!rc)
        rc = set_head(c, &e, err);
    return db_release(&c->db, rc, err);
}

struct audit_walk {
    enum errc (*each)(void *arg, const struct control_audit *a, struct err *err);
    void *arg;
};

static enum errc give_entry(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct audit_walk *w = arg;
    struct control_audit a = {
        .seq = sqlite3_column_int64(st, 0),
        .at_ms = sqlite3_column_int64(st, 1),
        .kind = db_column_dup(st, 2),
        .body = db_column_dup(st, 3),
    };
    enum errc rc =
        a.kind && a.body && db_column_blob(st, 4, a.prev, 32) &&
                db_column_blob(st, 5, a.hash, 32)
            ? w->each(w->arg, &a, err)
            : err_fail(err, REASON_STORAGE_CORRUPT, "stored audit entry is malformed");

    control_audit_fini(&a);
    return rc;
}

enum errc control_audit_each(struct control *c, int64_t after_seq, size_t limit,
                             enum errc (*each)(void *arg, const struct control_audit *a,
                                               struct err *err),
                             void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_AUDIT_EACH);
    struct audit_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, after_seq);
    db_bind_int(st, 2, control_limit(limit));
    return db_each_row(&c->db, st, "read the audit log", give_entry, &w, err);
}
