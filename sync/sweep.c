#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/core.h"

/*
 * What peers can make us store is bounded.  After each poll, when all walks have ended
 * and the tip is settled, and before the next: headers of walks that came to nothing
 * go, unless their walk is to be gone on with; of refused ones the last are kept, since
 * they spare asking again; of branches that are not the active chain those that came
 * with the last headers are.  A batch a step, each a transaction.
 */
enum {
    BATCH = 256,
    INVALID_KEPT = 20000,
    BRANCH_HEADERS = 20000, /* what one network's claim may bring, chase.c */
};

void sweep_reset(struct sweep *s)
{
    free(s->keep);
    *s = (struct sweep){0};
}

static uint64_t key_of(const uint8_t hash[32])
{
    uint64_t key;

    memcpy(&key, hash, sizeof(key));
    return key;
}

/* A hash is as good as random: its first bytes tell it from the others, and a mistake
   keeps a row for another poll. */
void sweep_keep(struct sweep *s, const struct chase *c)
{
    if (c->path_len == 0)
        return;
    s->keep = xrealloc(s->keep, (s->n + c->path_len) * sizeof(s->keep[0]));
    for (size_t i = 0; i < c->path_len; i++)
        s->keep[s->n++] = key_of(c->path[i]);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void sweep_begin(struct sweep *s)
{
    if (s->n > 0)
        qsort(s->keep, s->n, sizeof(s->keep[0]), by_value);
    s->due = true;
    s->after = 0;
}

/* --- steps; *left: there may be more --- */

static bool is_kept(const struct sweep *s, const uint8_t hash[32])
{
    uint64_t key = key_of(hash);

    return s->n > 0 &&
           bsearch(&key, s->keep, s->n, sizeof(s->keep[0]), by_value) != NULL;
}

static enum errc drop_anchored(struct engine *e, bool *left, struct err *err)
{
    struct sweep *s = &e->sweep;
    struct chaindb_anchored rows[BATCH];
    size_t n;

    if (chaindb_anchored_list(e->live.db, s->after, rows, BATCH, &n, err))
        return err->code;
    for (size_t i = 0; i < n; i++) {
        s->after = rows[i].added;
        if (!is_kept(s, rows[i].hash) &&
            chaindb_anchored_drop(e->live.db, rows[i].hash, err))
            return err->code;
    }
    *left = n == BATCH;
    return ERR_OK;
}

static enum errc drop_invalid(struct engine *e, bool *left, struct err *err)
{
    size_t dropped;

    if (chaindb_invalid_drop(e->live.db, INVALID_KEPT, BATCH, &dropped, err))
        return err->code;
    *left = dropped == BATCH;
    return ERR_OK;
}

/* The oldest branch goes from its tip down to what is active or stands under another;
   the note of it goes down with it, so that a crash leaves nothing behind. */
static enum errc drop_branches(struct engine *e, bool *left, struct err *err)
{
    struct chaindb *db = e->live.db;
    struct chaindb_header row;
    uint8_t tip[32], at[32];
    uint64_t headers;
    bool found, dropped = true;
    size_t n = 0;

    if (chaindb_branch_oldest(db, left, tip, &headers, err))
        return err->code;
    *left = *left && headers > BRANCH_HEADERS;
    if (!*left)
        return ERR_OK;
    for (memcpy(at, tip, 32); n < BATCH && dropped; n++) {
        if (chaindb_header_get(db, at, &found, &row, err) ||
            chaindb_leaf_drop(db, at, &dropped, err))
            return err->code;
        if (dropped)
            memcpy(at, row.prev, 32);
    }
    return dropped ? chaindb_branch_move(db, tip, at, err)
                   : chaindb_branch_drop(db, tip, err);
}

static enum errc step(struct engine *e, bool *left, struct err *err)
{
    enum errc rc = drop_anchored(e, left, err);

    if (!rc && !*left)
        rc = drop_invalid(e, left, err);
    if (!rc && !*left)
        rc = drop_branches(e, left, err);
    return rc;
}

enum errc sweep_step(struct engine *e, struct err *err)
{
    bool left = false;

    if (chaindb_begin(e->live.db, err))
        return err->code;
    if (step(e, &left, err) || chaindb_commit(e->live.db, err)) {
        chaindb_rollback(e->live.db);
        return err->code;
    }
    if (!left)
        sweep_reset(&e->sweep);
    return ERR_OK;
}
