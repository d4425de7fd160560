#include <stdio.h>
#include <string.h>

#include "store/control_audit_hash.h"
#include "store/control_impl.h"

/* The walk along the chain; it goes on after the first fault only to count. */
struct chain {
    int64_t last;       /* seq; 0 before the first */
    uint8_t hash[32];   /* of the last entry */
    uint8_t before[32]; /* of the one before it */
    struct control_audit_check check;
};

static void fault(struct chain *c, int64_t seq, const char *what)
{
    if (!c->check.ok)
        return;
    c->check.ok = false;
    c->check.first_bad = seq;
    (void)snprintf(c->check.what, sizeof(c->check.what), "%s", what);
}

/* False if the row is none that was ever written: malformed, or not of its hash. */
static bool read_entry(sqlite3_stmt *st, struct control_audit_entry *e, bool *linkable)
{
    uint8_t own[32];

    e->seq = sqlite3_column_int64(st, 0);
    e->at_ms = sqlite3_column_int64(st, 1);
    e->kind = (const char *)sqlite3_column_text(st, 2);
    e->body = (const char *)sqlite3_column_text(st, 3);
    *linkable =
        db_column_blob(st, 4, e->prev, 32) && db_column_blob(st, 5, e->hash, 32);
    if (!*linkable || !e->kind || !e->body ||
        strlen(e->kind) != (size_t)sqlite3_column_bytes(st, 2) ||
        strlen(e->body) != (size_t)sqlite3_column_bytes(st, 3))
        return false;
    control_audit_hash(e, own);
    return memcmp(own, e->hash, sizeof(own)) == 0;
}

static void judge(struct chain *c, const struct control_audit_entry *e, bool genuine,
                  bool linkable)
{
    bool links = linkable && memcmp(e->prev, c->hash, 32) == 0;

    if (e->seq < 1)
        fault(c, e->seq, "inserted");
    else if (e->seq != c->last + 1)
        fault(c, c->last + 1, "missing");
    else if (links && genuine)
        return;
    else if (!links && linkable && c->last > 0 && memcmp(e->prev, c->before, 32) == 0)
        fault(c, c->last, "inserted"); /* this one follows on the one before that */
    else if (genuine && c->last > 0)
        fault(c, c->last, "altered"); /* and given a new hash */
    else
        fault(c, e->seq, "altered");
}

static enum errc check_entry(void *arg, sqlite3_stmt *st, struct err *err)
{
    struct chain *c = arg;
    struct control_audit_entry e;
    bool linkable, genuine = read_entry(st, &e, &linkable);

    (void)err;
    c->check.entries++;
    judge(c, &e, genuine, linkable);
    if (linkable) {
        memcpy(c->before, c->hash, 32);
        memcpy(c->hash, e.hash, 32);
    }
    c->last = e.seq;
    return ERR_OK;
}

static void check_head(struct chain *c, int64_t entries, const uint8_t hash[32])
{
    if (c->check.entries < entries)
        fault(c, c->last + 1, "tail cut");
    else if (c->check.entries > entries)
        fault(c, entries + 1, "inserted");
    else if (memcmp(c->hash, hash, 32) != 0)
        fault(c, c->last > 0 ? c->last : 1, "altered");
}

enum errc control_audit_verify(struct control *c, struct control_audit_check *out,
                               struct err *err)
{
    /* The head's statement stays open: both reads are then of one moment. */
    DB_STMT(head, &c->db, CONTROL_AUDIT_HEAD);
    DB_STMT(st, &c->db, CONTROL_AUDIT_EACH);
    struct chain chain = {.check.ok = true};
    uint8_t hash[32];
    bool row;
    enum errc rc = db_step_row(&c->db, head, &row, "read audit head", err);

    if (rc)
        return rc;
    if (!row || !db_column_blob(head, 1, hash, 32))
        return err_fail(err, REASON_STORAGE_CORRUPT, "the audit log has no head");
    db_bind_int(st, 1, INT64_MIN);
    db_bind_int(st, 2, -1);
    rc = db_each_row(&c->db, st, "read the audit log", check_entry, &chain, err);
    if (rc)
        return rc;
    check_head(&chain, sqlite3_column_int64(head, 0), hash);
    memcpy(chain.check.head, chain.hash, 32);
    *out = chain.check;
    return ERR_OK;
}
