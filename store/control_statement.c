#include "store/control_impl.h"
#include "store/control_trust.h"

/* What others signed about checkpoints, and the operator's own revocations. */

static int64_t height_or_any(const struct control_height_filter *f)
{
    return f->has_height ? (int64_t)f->height : -1;
}

/* --- revocations --- */

enum errc control_revocation_put(struct control *c, const struct control_revocation *r,
                                 bool *fresh, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_REVOCATION_PUT);

    db_bind_int(st, 1, (int64_t)r->height);
    db_bind_blob(st, 2, r->block_hash, 32);
    db_bind_text(st, 3, r->reason);
    db_bind_text(st, 4, r->source);
    db_bind_text(st, 5, r->document);
    db_bind_int(st, 6, r->at_ms);
    if (db_step_done(&c->db, st, "store revocation", err))
        return err->code;
    *fresh = sqlite3_changes(c->db.handle) == 1;
    return ERR_OK;
}

struct revocation_walk {
    enum errc (*each)(void *arg, const struct control_revocation *r, struct err *err);
    void *arg;
};

static enum errc give_revocation(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct revocation_walk *w = arg;
    struct control_revocation r = {
        .id = sqlite3_column_int64(st, 0),
        .height = (uint64_t)sqlite3_column_int64(st, 1),
        .reason = control_text(st, 3),
        .source = control_text(st, 4),
        .document = control_text(st, 5),
        .at_ms = sqlite3_column_int64(st, 6),
    };

    if (!db_column_blob(st, 2, r.block_hash, 32) || !r.reason || !r.source)
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored revocation is malformed");
    return w->each(w->arg, &r, err);
}

enum errc control_revocation_each(
    struct control *c, const struct control_height_filter *filter,
    enum errc (*each)(void *arg, const struct control_revocation *r, struct err *err),
    void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_REVOCATION_EACH);
    struct revocation_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, height_or_any(filter));
    db_bind_int(st, 2, control_limit(filter->limit));
    return db_each_row(&c->db, st, "read revocations", give_revocation, &w, err);
}

/* --- attestations --- */

enum errc control_attestation_put(struct control *c,
                                  const struct control_attestation *a, bool *fresh,
                                  struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_ATTESTATION_PUT);

    db_bind_int(st, 1, (int64_t)a->height);
    db_bind_blob(st, 2, a->block_hash, 32);
    db_bind_blob(st, 3, a->state_root, 32);
    db_bind_text(st, 4, a->key);
    db_bind_int(st, 5, a->own);
    db_bind_text(st, 6, a->source);
    db_bind_text(st, 7, a->document);
    db_bind_int(st, 8, a->at_ms);
    if (db_step_done(&c->db, st, "store attestation", err))
        return err->code;
    *fresh = sqlite3_changes(c->db.handle) == 1;
    return ERR_OK;
}

struct attestation_walk {
    enum errc (*each)(void *arg, const struct control_attestation *a, struct err *err);
    void *arg;
};

static enum errc give_attestation(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct attestation_walk *w = arg;
    struct control_attestation a = {
        .id = sqlite3_column_int64(st, 0),
        .height = (uint64_t)sqlite3_column_int64(st, 1),
        .key = control_text(st, 4),
        .own = sqlite3_column_int(st, 5) != 0,
        .source = control_text(st, 6),
        .document = control_text(st, 7),
        .at_ms = sqlite3_column_int64(st, 8),
    };

    if (!db_column_blob(st, 2, a.block_hash, 32) ||
        !db_column_blob(st, 3, a.state_root, 32) || !a.key || !a.source || !a.document)
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored attestation is malformed");
    return w->each(w->arg, &a, err);
}

enum errc control_attestation_each(
    struct control *c, const struct control_height_filter *filter,
    enum errc (*each)(void *arg, const struct control_attestation *a, struct err *err),
    void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_ATTESTATION_EACH);
    struct attestation_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, height_or_any(filter));
    db_bind_int(st, 2, filter->own);
    db_bind_int(st, 3, control_limit(filter->limit));
    return db_each_row(&c->db, st, "read attestations", give_attestation, &w, err);
}
