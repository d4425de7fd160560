#include <string.h>

#include "store/control_impl.h"

enum errc control_generation_insert(struct control *c, int64_t now_ms, int64_t *id,
                                    struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_GENERATION_INSERT);
    enum errc rc;

    db_bind_int(st, 1, now_ms);
    rc = db_step_done(&c->db, st, "insert generation", err);
    if (!rc)
        *id = sqlite3_last_insert_rowid(c->db.handle);
    return rc;
}

static enum errc expect_found(struct control *c, enum errc rc, int64_t id,
                              struct err *err)
{
    if (!rc && sqlite3_changes(c->db.handle) == 0)
        return err_fail(err, REASON_NOT_FOUND, "no generation %lld", (long long)id);
    return rc;
}

enum errc control_generation_update(struct control *c,
                                    const struct control_generation *g, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_GENERATION_UPDATE);

    db_bind_int(st, 1, g->id);
    db_bind_int(st, 2, g->state);
    db_bind_int(st, 3, (int64_t)g->height);
    db_bind_blob(st, 4, g->block_hash, 32);
    db_bind_blob(st, 5, g->state_root, 32);
    db_bind_int(st, 6, g->checkpoint_id);
    db_bind_int(st, 7, g->created_ms);
    db_bind_int(st, 8, g->activated_ms);
    return expect_found(c, db_step_done(&c->db, st, "update generation", err), g->id,
                        err);
}

static enum errc retire_others(struct control *c, int64_t id, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_GENERATION_RETIRE_LIVE);

    db_bind_int(st, 1, id);
    return db_step_done(&c->db, st, "retire generation", err);
}

static enum errc make_live(struct control *c, int64_t id, int64_t now_ms,
                           struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_GENERATION_MAKE_LIVE);

    db_bind_int(st, 1, id);
    db_bind_int(st, 2, now_ms);
    return expect_found(c, db_step_done(&c->db, st, "activate generation", err), id,
                        err);
}

enum errc control_generation_activate(struct control *c, int64_t id, int64_t now_ms,
                                      struct err *err)
{
    enum errc rc = db_save(&c->db, err);

    if (rc)
        return rc;
    rc = retire_others(c, id, err);
    if (!rc)
        rc = make_live(c, id, now_ms, err);
    return db_release(&c->db, rc, err);
}

/* The columns are GENERATION_COLUMNS of control_stmt.def. */
static enum errc read_generation(sqlite3_stmt *st, struct control_generation *out,
                                 struct err *err)
{
    int64_t state = sqlite3_column_int64(st, 1);
    struct control_generation g = {
        .id = sqlite3_column_int64(st, 0),
        .state = (enum control_generation_state)state,
        .height = (uint64_t)sqlite3_column_int64(st, 2),
        .checkpoint_id = sqlite3_column_int64(st, 5),
        .created_ms = sqlite3_column_int64(st, 6),
        .activated_ms = sqlite3_column_int64(st, 7),
    };

    if (state < CONTROL_GEN_BUILDING || state > CONTROL_GEN_FAILED ||
        !db_column_blob(st, 3, g.block_hash, 32) ||
        !db_column_blob(st, 4, g.state_root, 32))
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored generation is malformed");
    *out = g;
    return ERR_OK;
}

enum errc control_generation_live(struct control *c, bool *found,
                                  struct control_generation *out, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_GENERATION_LIVE);
    bool row;
    enum errc rc = db_step_row(&c->db, st, &row, "read generation", err);

    if (!rc && row)
        rc = read_generation(st, out, err);
    if (!rc)
        *found = row;
    return rc;
}

static enum errc check_base(const struct control_generation *g,
                            const struct control_checkpoint *k, struct err *err)
{
    if (k->generation == g->id && k->height == g->height &&
        memcmp(k->block_hash, g->block_hash, 32) == 0 &&
        memcmp(k->state_root, g->state_root, 32) == 0)
        return ERR_OK;
    return err_fail(err, REASON_STORAGE_CORRUPT,
                    "control.db: checkpoint %lld is not that of generation %lld",
                    (long long)k->id, (long long)g->id);
}

enum errc control_generation_check(struct control *c, struct err *err)
{
    struct control_checkpoint k = {0};
    struct control_generation g = {0};
    bool found;
    enum errc rc = control_generation_live(c, &found, &g, err);

    if (rc || !found)
        return rc;
    rc = control_checkpoint_get(c, g.checkpoint_id, &k, err);
    if (rc == ERR_NOTFOUND)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "control.db: generation %lld has no checkpoint",
                        (long long)g.id);
    if (!rc)
        rc = check_base(&g, &k, err);
    control_checkpoint_fini(&k);
    return rc;
}

struct generation_walk {
    enum errc (*each)(void *arg, const struct control_generation *g, struct err *err);
    void *arg;
};

static enum errc give_generation(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct generation_walk *w = arg;
    struct control_generation g;
    enum errc rc = read_generation(st, &g, err);

    return rc ? rc : w->each(w->arg, &g, err);
}

enum errc control_generation_each(struct control *c,
                                  enum errc (*each)(void *arg,
                                                    const struct control_generation *g,
                                                    struct err *err),
                                  void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_GENERATION_EACH);
    struct generation_walk w = {.each = each, .arg = arg};

    return db_each_row(&c->db, st, "read generations", give_generation, &w, err);
}
