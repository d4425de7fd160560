#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "sync/core.h"

/*
 * A checkpoint is withdrawn: before it was accepted it is refused from now on; the job
 * that is at it ends; and a node that stands on it halts where it is, serves reads, and
 * asks its operator.
 */

/* --- what a revocation does --- */

static void end_job(struct engine *e)
{
    struct job *j = &e->job;
    struct trust_verdict v;

    if (!j->active || j->state < JOB_DECIDING || job_state_is_mounted(j->state) ||
        j->kind == INTAKE_GENESIS)
        return;
    verdicts_evaluate(e, &v);
    if (v.refused && v.decider == TRUST_RULE_REVOCATION)
        verdicts_reject(e, &v);
}

static bool is_revoked(const struct engine *e, const struct statements *s)
{
    const struct trust_policy *p = &e->policy.rules;

    for (size_t i = 0; !s->revoked && i < s->count; i++)
        if (s->list[i]->type == TRUST_REVOCATION &&
            trust_statement_of(s->list[i], e->cfg->params) &&
            trust_statement_signed(s->list[i], p->keys, p->key_count) > 0)
            return true;
    return s->revoked;
}

struct search {
    const char *subject;
    bool open, resolved;
};

static enum errc look(void *arg, const struct control_incident *i, struct err *err)
{
    struct search *s = arg;

    (void)err;
    if (strcmp(i->kind, reason_code(REASON_REVOKED_LIVE)) != 0 ||
        strcmp(i->subject, s->subject) != 0)
        return ERR_OK;
    s->open = s->open || i->resolved_ms == 0;
    s->resolved = s->resolved || i->resolved_ms != 0;
    return ERR_OK;
}

static cJSON *evidence_of(const struct engine *e, const struct statements *s)
{
    cJSON *o = cJSON_CreateObject(), *list;
    char hex[65];

    hex_encode(e->checkpoint.block_hash, 32, hex);
    cJSON_AddNumberToObject(o, "height", (double)e->checkpoint.height);
    cJSON_AddStringToObject(o, "block_hash", hex);
    if (s->revoked)
        cJSON_AddStringToObject(o, "by_operator", s->reason);
    list = cJSON_AddArrayToObject(o, "statements");
    for (size_t i = 0; i < s->count; i++) {
        CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);

        if (s->list[i]->type != TRUST_REVOCATION)
            continue;
        trust_statement_write(s->list[i], &text);
        cJSON_AddItemToArray(list, cJSON_CreateRaw(text.data));
    }
    return o;
}

static void stop(struct engine *e, const struct statements *s)
{
    struct search found = {.subject = NULL};
    struct err err;
    char hex[65];

    hex_encode(e->checkpoint.block_hash, 32, hex);
    found.subject = hex;
    if (control_incident_each(e->control, false, SIZE_MAX, look, &found, &err)) {
        engine_halt(e, &err);
        return;
    }
    if (found.resolved && !found.open)
        return; /* the operator keeps it */
    if (!found.open)
        incidents_open(e, REASON_REVOKED_LIVE, hex, evidence_of(e, s));
    (void)err_fail(&err, REASON_REVOKED_LIVE,
                   "the checkpoint at height %" PRIu64 " was withdrawn",
                   e->checkpoint.height);
    engine_halt(e, &err);
}

static enum errc review_live(struct engine *e, struct statements *s, struct err *err)
{
    if (!e->has_checkpoint || !e->live.state)
        return ERR_OK;
    if (statements_load(e, e->checkpoint.height, e->checkpoint.block_hash, s, err))
        return err->code;
    if (is_revoked(e, s))
        stop(e, s);
    return ERR_OK;
}

void revoke_review(struct engine *e)
{
    struct statements s = {.count = 0};
    struct err err;

    end_job(e);
    if (review_live(e, &s, &err))
        engine_halt(e, &err);
    statements_fini(&s);
}

/* --- the operator's --- */

static enum errc put(struct engine *e, const struct engine_request *req,
                     struct err *err)
{
    struct control_revocation row = {.height = req->height,
                                     .reason = req->reason,
                                     .source = req->actor ? req->actor : "operator",
                                     .at_ms = clock_now_ms()};
    bool fresh;

    (void)hex_hash(req->block_hash, row.block_hash); /* was checked as a parameter */
    if (control_revocation_put(e->control, &row, &fresh, err))
        return err->code;
    return fresh ? ERR_OK
                 : err_set(err, ERR_CONFLICT, "this checkpoint is revoked already");
}

enum errc revoke_call(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err)
{
    cJSON *detail = cJSON_CreateObject(), *o;
    uint8_t hash[32];
    bool live;

    cJSON_AddNumberToObject(detail, "height", (double)req->height);
    cJSON_AddStringToObject(detail, "block_hash", req->block_hash);
    if (ops_change(e, req, "checkpoint.revoke", detail, put, err))
        return err->code;
    (void)hex_hash(req->block_hash, hash);
    live = e->has_checkpoint && e->live.state && req->height == e->checkpoint.height &&
           memcmp(hash, e->checkpoint.block_hash, 32) == 0;
    o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "height", (double)req->height);
    cJSON_AddStringToObject(o, "block_hash", req->block_hash);
    cJSON_AddStringToObject(o, "reason", req->reason);
    cJSON_AddBoolToObject(o, "live", live);
    cJSON_AddBoolToObject(o, "halted", e->halted);
    *result = o;
    return ERR_OK;
}
