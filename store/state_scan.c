#include <string.h>

#include "store/state_impl.h"

/* Three sorted streams: the base calls, the other two are cursors. */
struct merge {
    struct state *s;
    sqlite3_stmt *made_st, *spent_st;
    bool made_more, spent_more;
    struct coin made;
    uint64_t made_height;
    struct outpoint spent;
    enum errc (*each)(void *arg, const struct coin *coin, struct err *err);
    void *arg;
};

static enum errc next_made(struct merge *m, struct err *err)
{
    enum errc rc =
        db_step_row(&m->s->db->db, m->made_st, &m->made_more, "read coins", err);

    if (!rc && m->made_more)
        rc = state_coins_read_made(m->made_st, &m->made, &m->made_height, err);
    return rc;
}

static enum errc next_spent(struct merge *m, struct err *err)
{
    enum errc rc = db_step_row(&m->s->db->db, m->spent_st, &m->spent_more,
                               "read spent coins", err);

    if (!rc && m->spent_more)
        rc = state_coins_read_spent(m->spent_st, &m->spent, err);
    return rc;
}

/* Made coins up to at, all of them if at is NULL. */
static enum errc give_made(struct merge *m, const struct outpoint *at, struct err *err)
{
    enum errc rc = ERR_OK;

    while (!rc && m->made_more && (!at || outpoint_compare(&m->made.at, at) <= 0)) {
        rc = m->each(m->arg, &m->made, err);
        if (!rc)
            rc = next_made(m, err);
    }
    return rc;
}

static enum errc take_base(void *arg, const struct coin *coin, struct err *err)
{
    struct merge *m = arg;
    enum errc rc = give_made(m, &coin->at, err);

    if (rc)
        return rc;
    if (m->spent_more) {
        int order = outpoint_compare(&m->spent, &coin->at);

        if (order < 0)
            return err_fail(err, REASON_STORAGE_CORRUPT,
                            "a coin is spent that the base does not have");
        if (order == 0)
            return next_spent(m, err);
    }
    return m->each(m->arg, coin, err);
}

enum errc state_scan(struct state *s,
                     enum errc (*each)(void *arg, const struct coin *coin,
                                       struct err *err),
                     void *arg, struct err *err)
{
    DB_STMT(made_st, &s->db->db, CHAIN_MADE_EACH);
    DB_STMT(spent_st, &s->db->db, CHAIN_SPENT_EACH);
    struct merge m = {
        .s = s, .made_st = made_st, .spent_st = spent_st, .each = each, .arg = arg};
    enum errc rc = next_made(&m, err);

    if (!rc)
        rc = next_spent(&m, err);
    if (!rc)
        rc = coinfile_scan(s->base, take_base, &m, err);
    if (!rc)
        rc = give_made(&m, NULL, err);
    if (!rc && m.spent_more)
        rc = err_fail(err, REASON_STORAGE_CORRUPT,
                      "a coin is spent that the base does not have");
    return rc;
}
