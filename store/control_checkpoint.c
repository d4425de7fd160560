#include <stdlib.h>

#include "store/control_impl.h"

void control_checkpoint_fini(struct control_checkpoint *k)
{
    free(k->state_hash);
    free(k->source);
    free(k->trust);
    free(k->provenance);
    *k = (struct control_checkpoint){0};
}

enum errc control_checkpoint_insert(struct control *c,
                                    const struct control_checkpoint *k, int64_t *id,
                                    struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_CHECKPOINT_INSERT);
    enum errc rc;

    db_bind_int(st, 1, (int64_t)k->height);
    db_bind_blob(st, 2, k->block_hash, 32);
    db_bind_blob(st, 3, k->state_root, 32);
    db_bind_blob(st, 4, k->work, sizeof(k->work));
    db_bind_text(st, 5, k->state_hash);
    db_bind_text(st, 6, k->source);
    db_bind_text(st, 7, k->trust);
    db_bind_text(st, 8, k->provenance);
    db_bind_int(st, 9, k->generation);
    db_bind_int(st, 10, k->job_id);
    db_bind_int(st, 11, k->accepted_ms);
    rc = db_step_done(&c->db, st, "insert checkpoint", err);
    if (!rc)
        *id = sqlite3_last_insert_rowid(c->db.handle);
    return rc;
}

/* The columns are CHECKPOINT_COLUMNS of control_stmt.def. */
static enum errc read_checkpoint(sqlite3_stmt *st, struct control_checkpoint *out,
                                 struct err *err)
{
    struct control_checkpoint k = {
        .id = sqlite3_column_int64(st, 0),
        .height = (uint64_t)sqlite3_column_int64(st, 1),
        .state_hash = db_column_dup(st, 5),
        .source = db_column_dup(st, 6),
        .trust = db_column_dup(st, 7),
        .provenance = db_column_dup(st, 8),
        .generation = sqlite3_column_int64(st, 9),
        .job_id = sqlite3_column_int64(st, 10),
        .accepted_ms = sqlite3_column_int64(st, 11),
    };

    if (!k.source || !k.trust || !k.provenance ||
        !db_column_blob(st, 2, k.block_hash, 32) ||
        !db_column_blob(st, 3, k.state_root, 32) ||
        !db_column_blob(st, 4, k.work, sizeof(k.work))) {
        control_checkpoint_fini(&k);
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored checkpoint is malformed");
    }
    *out = k;
    return ERR_OK;
}

static enum errc read_one(struct control *c, sqlite3_stmt *st, bool *found,
                          struct control_checkpoint *out, struct err *err)
{
    bool row;
    enum errc rc = db_step_row(&c->db, st, &row, "read checkpoint", err);

    if (!rc && row)
        rc = read_checkpoint(st, out, err);
    if (!rc)
        *found = row;
    return rc;
}

enum errc control_checkpoint_get(struct control *c, int64_t id,
                                 struct control_checkpoint *out, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_CHECKPOINT_GET);
    bool found;
    enum errc rc;

    db_bind_int(st, 1, id);
    rc = read_one(c, st, &found, out, err);
    if (!rc && !found)
        return err_fail(err, REASON_NOT_FOUND, "no checkpoint %lld", (long long)id);
    return rc;
}

enum errc control_checkpoint_at(struct control *c, uint64_t height,
                                struct control_checkpoint *out, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_CHECKPOINT_AT);
    bool found;
    enum errc rc;

    db_bind_int(st, 1, height > INT64_MAX ? -1 : (int64_t)height);
    rc = read_one(c, st, &found, out, err);
    if (!rc && !found)
        return err_fail(err, REASON_NOT_FOUND, "no checkpoint at height %llu",
                        (unsigned long long)height);
    return rc;
}

enum errc control_checkpoint_latest(struct control *c, bool *found,
                                    struct control_checkpoint *out, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_CHECKPOINT_LATEST);

    return read_one(c, st, found, out, err);
}

struct checkpoint_walk {
    enum errc (*each)(void *arg, const struct control_checkpoint *k, struct err *err);
    void *arg;
};

static enum errc give_checkpoint(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct checkpoint_walk *w = arg;
    struct control_checkpoint k;
    enum errc rc = read_checkpoint(st, &k, err);

    if (rc)
        return rc;
    rc = w->each(w->arg, &k, err);
    control_checkpoint_fini(&k);
    return rc;
}

enum errc control_checkpoint_each(struct control *c, int64_t before_id, size_t limit,
                                  enum errc (*each)(void *arg,
                                                    const struct control_checkpoint *k,
                                                    struct err *err),
                                  void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_CHECKPOINT_EACH);
    struct checkpoint_walk w = {.each = each, .arg = arg};

    db_bind_int(st, 1, control_before(before_id));
    db_bind_int(st, 2, control_limit(limit));
    return db_each_row(&c->db, st, "read checkpoints", give_checkpoint, &w, err);
}
