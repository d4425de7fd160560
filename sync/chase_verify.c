#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/core.h"

enum { BATCH = 1024 }; /* headers a step, so that the engine answers in between */

/* Fills the window with the headers up to and with hash, oldest first. */
static enum errc load_window(struct chase *c, struct err *err)
{
    struct chaindb_header row;
    AUTOFREE struct header *held = xcalloc(HEADER_WINDOW, sizeof(*held));
    uint8_t hash[32];
    size_t n = 0;
    bool found;

    memcpy(hash, c->expect, 32);
    while (n < HEADER_WINDOW) {
        if (chaindb_header_get(c->gen->db, hash, &found, &row, err))
            return err->code;
        if (!found || row.status != CHAINDB_VALID)
            break;
        if (n == 0)
            memcpy(c->work.be, row.work, WORK_BYTES);
        rows_to_header(&row, &held[n++]);
        if (row.height == 0)
            break;
        memcpy(hash, row.prev, 32);
    }
    if (n == 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "a verified header is gone");
    header_window_init(c->window, held[n - 1].height);
    while (n > 0)
        header_window_push(c->window, &held[--n]);
    return ERR_OK;
}

enum errc chase_verify_begin(struct engine *e, struct err *err)
{
    struct chase *c = &e->chase;

    c->unproved = c->path_len;
    c->window = xcalloc(1, sizeof(*c->window));
    if (!c->at_floor)
        return load_window(c, err);
    header_window_init(c->window, c->floor);
    c->unproven = c->floor > 0 ? HEADER_WINDOW_MIN : 0;
    return ERR_OK;
}

void chase_blame_claimants(struct engine *e, const uint8_t hash[32], enum reason reason,
                           const char *evidence)
{
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);

        if (p->has_tip && memcmp(p->tip_hash, hash, 32) == 0)
            peer_blame(p, PEER_FAULT_LIE, reason, 0, evidence, clock_mono_ms(),
                       clock_now_ms());
    }
}

static enum errc check_roots(const struct engine *e, const struct header *h,
                             struct err *err)
{
    const struct trust_policy *policy = &e->policy.rules;

    for (size_t i = 0; i < policy->root_count; i++)
        if (policy->roots[i].height == h->height &&
            memcmp(policy->roots[i].hash, h->hash, 32) != 0)
            return err_fail(err, REASON_CONFLICTS_TRUST_ROOT,
                            "block %llu is not the pinned one",
                            (unsigned long long)h->height);
    return ERR_OK;
}

/* The first headers above a floor have no 145 before them: link and work alone. */
static enum errc check_unproven(struct chase *c, const struct header *h,
                                struct err *err)
{
    c->unproven--;
    if (c->window->count > 0 && memcmp(h->prev, c->window->last_hash, 32) != 0)
        return err_fail(err, REASON_BLOCK_BAD_LINK, "not on its parent");
    if (!header_has_pow(h))
        return err_fail(err, REASON_BLOCK_LOW_POW, "no proof of work");
    return ERR_OK;
}

static enum errc verify_one(struct engine *e, const struct chaindb_header *row,
                            struct err *err)
{
    struct chase *c = &e->chase;
    struct header h;
    enum errc rc;

    rows_to_header(row, &h);
    if (c->gen == &e->live && header_is_from_future(&h, clock_now_ms()))
        return err_fail(err, REASON_BLOCK_FROM_FUTURE,
                        "dated over two hours ahead of this machine's clock");
    rc = c->unproven > 0 ? check_unproven(c, &h, err)
                         : header_check(&h, c->window, e->cfg->params, err);
    if (!rc)
        rc = check_roots(e, &h, err);
    if (rc)
        return rc;
    header_window_push(c->window, &h);
    c->work = work_add(c->work, work_of_block(h.difficulty));
    metrics_add(METRIC_HEADERS_VERIFIED, 1);
    return chaindb_header_mark(c->gen->db, h.hash, CHAINDB_VALID, c->work.be, NULL,
                               err);
}

/* The header breaks a rule: it and all that stands on it are refused for good. */
static enum errc refuse(struct engine *e, const struct chaindb_header *row,
                        const struct err *why, struct err *err)
{
    struct chase *c = &e->chase;
    const char *code = reason_code(why->reason);
    const uint8_t zero[32 + 8] = {0};

    log_warn("header refused", KV_U("height", row->height), KV_S("reason", code),
             KV_S("detail", why->msg));
    if (chaindb_header_mark(c->gen->db, row->hash, CHAINDB_INVALID, zero, code, err) ||
        chaindb_header_mark_descendants(c->gen->db, row->hash, code, err))
        return err->code;
    chase_blame_claimants(e, c->target_hash, why->reason, why->msg);
    return ERR_OK;
}

/* All is verified: noted in the same transaction as the last of it. */
static enum errc note_branch(struct engine *e, struct err *err)
{
    struct chase *c = &e->chase;

    if (c->gen != &e->live || c->path_len > 0 || c->unproved == 0)
        return ERR_OK;
    return chaindb_branch_put(c->gen->db, c->target_hash, c->unproved, err);
}

static enum errc verify_batch(struct engine *e, struct err *why, struct err *err)
{
    struct chase *c = &e->chase;
    struct chaindb_header row;
    bool found;

    for (size_t n = 0; n < BATCH && c->path_len > 0; n++) {
        const uint8_t *hash = c->path[c->path_len - 1];

        if (chaindb_header_get(c->gen->db, hash, &found, &row, err))
            return err->code;
        if (!found)
            return err_fail(err, REASON_STORAGE_CORRUPT, "a stored header is gone");
        if (verify_one(e, &row, why)) {
            if (why->code != ERR_VERIFY) {
                *err = *why;
                return err->code;
            }
            (void)err_wrap(why, "header %llu", (unsigned long long)row.height);
            /* Ours may be the clock that is wrong: it is looked at again. */
            return why->reason == REASON_BLOCK_FROM_FUTURE ? ERR_OK
                                                           : refuse(e, &row, why, err);
        }
        c->path_len--;
    }
    return ERR_OK;
}

void chase_verify(struct engine *e)
{
    struct chase *c = &e->chase;
    struct err why = {0}, err = {0};

    if (chaindb_begin(c->gen->db, &err) == ERR_OK) {
        if (verify_batch(e, &why, &err) || note_branch(e, &err))
            chaindb_rollback(c->gen->db);
        else
            (void)chaindb_commit(c->gen->db, &err);
    }
    if (err.code)
        chase_end(e, CHASE_BROKEN, &err);
    else if (why.code)
        chase_end(e, CHASE_REFUSED, &why);
    else if (c->path_len == 0)
        chase_end(e, CHASE_DONE, &err);
}
