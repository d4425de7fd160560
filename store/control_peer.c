#include <stdlib.h>

#include "store/control_impl.h"

void control_peer_fini(struct control_peer *p)
{
    free(p->url);
    free(p->ban_reason);
    free(p->ban_evidence);
    free(p->origin);
    free(p->source);
    free(p->ip);
    free(p->identity);
    *p = (struct control_peer){0};
}

enum errc control_peer_put(struct control *c, const struct control_peer *p,
                           struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_PEER_PUT);

    db_bind_text(st, 1, p->url);
    db_bind_int(st, 2, p->score);
    db_bind_int(st, 3, p->faults > INT64_MAX ? INT64_MAX : (int64_t)p->faults);
    db_bind_int(st, 4, p->banned_until_ms);
    db_bind_text(st, 5, p->ban_reason);
    db_bind_text(st, 6, p->ban_evidence);
    db_bind_text(st, 7, p->origin);
    db_bind_text(st, 8, p->source);
    db_bind_text(st, 9, p->ip);
    db_bind_text(st, 10, p->identity);
    db_bind_int(st, 11, p->tries);
    db_bind_int(st, 12, p->tried_ms);
    db_bind_int(st, 13, p->last_good_ms);
    db_bind_int(st, 14, p->bans);
    return db_step_done(&c->db, st, "store peer", err);
}

enum errc control_peer_delete(struct control *c, const char *url, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_PEER_DELETE);

    db_bind_text(st, 1, url);
    return db_step_done(&c->db, st, "delete peer", err);
}

/* Of a count that was an unsigned. */
static unsigned column_count(sqlite3_stmt *st, int column)
{
    int64_t n = sqlite3_column_int64(st, column);

    return n > 0 && n <= UINT32_MAX ? (unsigned)n : 0;
}

struct peer_walk {
    enum errc (*each)(void *arg, const struct control_peer *p, struct err *err);
    void *arg;
};

static enum errc give_peer(void *arg, sqlite3_stmt *st, struct err *err)
{
    const struct peer_walk *w = arg;
    struct control_peer p = {
        .url = db_column_dup(st, 0),
        .score = sqlite3_column_int(st, 1),
        .faults = (uint64_t)sqlite3_column_int64(st, 2),
        .banned_until_ms = sqlite3_column_int64(st, 3),
        .ban_reason = db_column_dup(st, 4),
        .ban_evidence = db_column_dup(st, 5),
        .origin = db_column_dup(st, 6),
        .source = db_column_dup(st, 7),
        .ip = db_column_dup(st, 8),
        .identity = db_column_dup(st, 9),
        .tries = column_count(st, 10),
        .tried_ms = sqlite3_column_int64(st, 11),
        .last_good_ms = sqlite3_column_int64(st, 12),
        .bans = column_count(st, 13),
    };
    enum errc rc = p.url && p.origin ? w->each(w->arg, &p, err)
                                     : err_fail(err, REASON_STORAGE_CORRUPT,
                                                "stored peer is malformed");

    control_peer_fini(&p);
    return rc;
}

enum errc control_peer_each(struct control *c,
                            enum errc (*each)(void *arg, const struct control_peer *p,
                                              struct err *err),
                            void *arg, struct err *err)
{
    DB_STMT(st, &c->db, CONTROL_PEER_EACH);
    struct peer_walk w = {.each = each, .arg = arg};

    return db_each_row(&c->db, st, "read peers", give_peer, &w, err);
}
