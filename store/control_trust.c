#include <stdlib.h>

#include "store/control_impl.h"
#include "store/control_trust.h"

/* Whom the operator trusts beside the configuration. */

static enum errc malformed(struct err *err, const char *what)
{
    return err_fail(err, REASON_STORAGE_CORRUPT, "stored %s is malformed", what);
}

/* --- signers --- */

enum errc control_signer_put(struct control *c, const struct control_signer *s,
                             struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_SIGNER_PUT);

    db_bind_text(st, 1, s->key);
    db_bind_int(st, 2, s->keep);
    db_bind_int(st, 3, s->changed_ms);
    db_bind_text(st, 4, s->actor);
    db_bind_text(st, 5, s->reason);
    return db_step_done(&c->db, st, "store signer", err);
}

struct signer_walk {
    enum errc (*each)(void *arg, const struct control_signer *s, struct err *err);
    void *arg;
};

static enum errc give_signer(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct signer_walk *w = arg;
    const struct control_signer s = {
        .key = control_text(st, 0),
        .keep = sqlite3_column_int(st, 1) != 0,
        .changed_ms = sqlite3_column_int64(st, 2),
        .actor = control_text(st, 3),
        .reason = control_text(st, 4),
    };

    return s.key && s.actor && s.reason ? w->each(w->arg, &s, err)
                                        : malformed(err, "signer");
}

enum errc control_signer_each(struct control *c,
                              enum errc (*each)(void *arg,
                                                const struct control_signer *s,
                                                struct err *err),
                              void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_SIGNER_EACH);
    struct signer_walk w = {.each = each, .arg = arg};

    return db_each_row(&c->db, st, "read signers", give_signer, &w, err);
}

/* --- signer sets --- */

enum errc control_signer_set_put(struct control *c, const struct control_signer_set *s,
                                 struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_SIGNER_SET_PUT);

    db_bind_blob(st, 1, s->first, 32);
    db_bind_int(st, 2, (int64_t)s->sequence);
    db_bind_text(st, 3, s->document);
    db_bind_int(st, 4, s->applied_ms);
    return db_step_done(&c->db, st, "store signer set", err);
}

struct set_walk {
    enum errc (*each)(void *arg, const struct control_signer_set *s, struct err *err);
    void *arg;
};

static enum errc give_set(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct set_walk *w = arg;
    struct control_signer_set s = {
        .sequence = (uint64_t)sqlite3_column_int64(st, 1),
        .document = control_text(st, 2),
        .applied_ms = sqlite3_column_int64(st, 3),
    };

    return db_column_blob(st, 0, s.first, 32) && s.document
               ? w->each(w->arg, &s, err)
               : malformed(err, "signer set");
}

enum errc control_signer_set_each(struct control *c,
                                  enum errc (*each)(void *arg,
                                                    const struct control_signer_set *s,
                                                    struct err *err),
                                  void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_SIGNER_SET_EACH);
    struct set_walk w = {.each = each, .arg = arg};

    return db_each_row(&c->db, st, "read signer sets", give_set, &w, err);
}

/* --- roots --- */

enum errc control_root_put(struct control *c, const struct control_root *r,
                           struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_ROOT_PUT);

    db_bind_int(st, 1, (int64_t)r->height);
    db_bind_blob(st, 2, r->hash, 32);
    db_bind_int(st, 3, r->added_ms);
    db_bind_text(st, 4, r->actor);
    db_bind_text(st, 5, r->reason);
    return db_step_done(&c->db, st, "store root", err);
}

enum errc control_root_remove(struct control *c, uint64_t height, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_ROOT_REMOVE);

    db_bind_int(st, 1, (int64_t)height);
    if (db_step_done(&c->db, st, "remove root", err))
        return err->code;
    if (sqlite3_changes(c->db.handle) != 1)
        return err_set(err, ERR_NOTFOUND, "no root was pinned at height %llu here",
                       (unsigned long long)height);
    return ERR_OK;
}

struct root_walk {
    enum errc (*each)(void *arg, const struct control_root *r, struct err *err);
    void *arg;
};

static enum errc give_root(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct root_walk *w = arg;
    struct control_root r = {
        .height = (uint64_t)sqlite3_column_int64(st, 0),
        .added_ms = sqlite3_column_int64(st, 2),
        .actor = control_text(st, 3),
        .reason = control_text(st, 4),
    };

    return db_column_blob(st, 1, r.hash, 32) && r.actor && r.reason
               ? w->each(w->arg, &r, err)
               : malformed(err, "root");
}

enum errc control_root_each(struct control *c,
                            enum errc (*each)(void *arg, const struct control_root *r,
                                              struct err *err),
                            void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_ROOT_EACH);
    struct root_walk w = {.each = each, .arg = arg};

    return db_each_row(&c->db, st, "read roots", give_root, &w, err);
}
