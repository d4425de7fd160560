#include <stdlib.h>

#include "base/mem.h"
#include "store/control_impl.h"
#include "store/schema.h"

static const char *const stmt_sql[CONTROL_STMT_COUNT] = {
#define STMT(name, sql) [CONTROL_##name] = (sql),
#include "store/control_stmt.def"
#undef STMT
};

/* What SQLite does not notice, before an older file is made a newer one. */
static enum errc verify(void *arg, struct err *err)
{
    struct control_audit_check log;

    if (control_audit_verify(arg, &log, err))
        return err->code;
    if (!log.ok)
        return err_fail(err, REASON_STORAGE_CORRUPT, "audit log, entry %lld: %.120s",
                        (long long)log.first_bad, log.what);
    return control_generation_check(arg, err);
}

enum errc control_open(const char *path, enum control_mode mode, struct control **out,
                       struct err *err)
{
    CLEANUP(control_close) struct control *c = xcalloc(1, sizeof(*c));
    const struct db_options opt = {
        .path = path,
        .writer = mode == CONTROL_WRITER,
        .check = mode == CONTROL_WRITER, /* it is small */
        .verify = verify,
        .verify_arg = c,
        .migrations = schema_control,
        .migration_count = schema_control_count,
        .sql = stmt_sql,
        .sql_count = CONTROL_STMT_COUNT,
    };
    enum errc rc = db_open(&c->db, &opt, err);

    if (rc)
        return rc;
    *out = TAKE(c);
    return ERR_OK;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    db_close(&c->db);
    free(c);
}

enum errc control_begin(struct control *c, struct err *err)
{
    return db_begin(&c->db, err);
}

enum errc control_commit(struct control *c, struct err *err)
{
    return db_commit(&c->db, err);
}

void control_rollback(struct control *c)
{
    db_rollback(&c->db);
}

enum errc control_meta_get(struct control *c, const char *key, bool *found,
                           char **value, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_META_GET);
    bool row;
    enum errc rc;

    db_bind_text(st, 1, key);
    rc = db_step_row(&c->db, st, &row, "read meta", err);
    if (rc)
        return rc;
    *found = row;
    if (row)
        *value = db_column_dup(st, 0);
    return ERR_OK;
}

enum errc control_meta_set(struct control *c, const char *key, const char *value,
                           struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_META_SET);

    db_bind_text(st, 1, key);
    db_bind_text(st, 2, value);
    return db_step_done(&c->db, st, "set meta", err);
}
