#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "store/control_audit_chain.h"
#include "store/control_impl.h"

static enum errc check_entry(void *arg, sqlite3_stmt *st, struct err *err)
{
    struct control_audit_entry e = {
        .seq = sqlite3_column_int64(st, 0),
        .at_ms = sqlite3_column_int64(st, 1),
        .kind = (const char *)sqlite3_column_text(st, 2),
        .body = (const char *)sqlite3_column_text(st, 3),
    };
    bool linkable =
        db_column_blob(st, 4, e.prev, 32) && db_column_blob(st, 5, e.hash, 32);
    bool whole = e.kind && e.body &&
                 strlen(e.kind) == (size_t)sqlite3_column_bytes(st, 2) &&
                 strlen(e.body) == (size_t)sqlite3_column_bytes(st, 3);

    (void)err;
    control_audit_chain_add(arg, &e, linkable, whole);
    return ERR_OK;
}

/* The first document that is not what the log says of it. */
static enum errc check_document(void *arg, sqlite3_stmt *st, struct err *err)
{
    struct control_audit_check *check = arg;
    const char *doc = (const char *)sqlite3_column_text(st, 2);
    char sum[65] = "", own[65];
    uint8_t digest[32];

    (void)err;
    if (check->first_bad != 0)
        return ERR_OK;
    if (doc) {
        hash_sha256(doc, (size_t)sqlite3_column_bytes(st, 2), digest);
        hex_encode(digest, sizeof(digest), own);
        if (db_column_text(st, 1, sum, sizeof(sum)) && strcmp(sum, own) == 0)
            return ERR_OK;
    }
    *check = (struct control_audit_check){.first_bad = sqlite3_column_int64(st, 0)};
    (void)snprintf(check->what, sizeof(check->what), "its document %s",
                   doc ? "altered" : "missing");
    return ERR_OK;
}

static enum errc check_documents(struct control *c, struct control_audit_check *out,
                                 struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_AUDIT_DOCUMENTS);
    struct control_audit_check found = {0};

    if (db_each_row(&c->db, st, "read documents", check_document, &found, err))
        return err->code;
    if (found.first_bad == 0 || (!out->ok && out->first_bad <= found.first_bad))
        return ERR_OK;
    out->ok = false;
    out->first_bad = found.first_bad;
    memcpy(out->what, found.what, sizeof(out->what));
    return ERR_OK;
}

enum errc control_audit_verify(struct control *c, struct control_audit_check *out,
                               struct err *err)
{
    /* The head's statement stays open: both reads are then of one moment. */
    DB_STMT(head, &c->db, CONTROL_AUDIT_HEAD);
    DB_STMT(st, &c->db, CONTROL_AUDIT_EACH);
    struct control_audit_chain chain = {.check.ok = true};
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
    control_audit_chain_end(&chain, sqlite3_column_int64(head, 0), hash);
    if (check_documents(c, &chain.check, err))
        return err->code;
    *out = chain.check;
    return ERR_OK;
}
