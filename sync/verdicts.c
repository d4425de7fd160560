#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "sync/body.h"
#include "sync/diagnose.h"
#include "sync/provenance.h"

enum { SUMMARY_MAX = 4096 }; /* more than the names of all rules */

/* --- what the rules look at --- */

void verdicts_candidate(const struct payload_meta *m, const char *source,
                        struct trust_candidate *out)
{
    *out = (struct trust_candidate){.source = source};
    out->network = m->has_network ? m->network : NULL;
    out->malformed = m->malformed[0] != '\0' ? m->malformed : NULL;
    out->has_height = m->has_height;
    out->height = m->height;
    out->has_block_hash = m->has_block_hash && hex_hash(m->block_hash, out->block_hash);
    out->has_state_hash = m->has_state_hash;
    memcpy(out->state_hash, m->state_hash, sizeof(out->state_hash));
    out->has_work = m->has_work && work_parse(m->work, &out->work);
    if (m->has_signature || m->has_pubkey) {
        out->signature_count = 1;
        out->signatures[0].pubkey = m->has_pubkey ? m->pubkey : NULL;
        out->signatures[0].signature = m->has_signature ? m->signature : NULL;
    }
}

enum errc verdicts_past(struct engine *e, struct trust_evidence *ev, struct err *err)
{
    struct control_checkpoint latest = {0};
    struct state_tip tip;

    if (e->live.state) {
        if (state_get_tip(e->live.state, &tip, err))
            return err->code;
        ev->has_tip = true;
        ev->tip_height = tip.height;
    }
    if (control_checkpoint_latest(e->control, &ev->has_latest, &latest, err))
        return err->code;
    if (ev->has_latest) {
        ev->latest_height = latest.height;
        memcpy(ev->latest_hash, latest.block_hash, 32);
        memcpy(ev->latest_state_root, latest.state_root, 32);
        memcpy(ev->latest_work.be, latest.work, WORK_BYTES);
        if (latest.state_hash)
            (void)snprintf(ev->latest_state_hash, sizeof(ev->latest_state_hash), "%s",
                           latest.state_hash);
    }
    control_checkpoint_fini(&latest);
    return ERR_OK;
}

enum errc verdicts_begin(struct engine *e, struct err *err)
{
    struct job *j = &e->job;

    j->evidence = (struct trust_evidence){.forced = j->forced};
    j->vote_count = 0;
    if (j->body)
        body_candidate(j);
    else
        verdicts_candidate(&j->meta, j->source, &j->candidate);
    return verdicts_past(e, &j->evidence, err);
}

static void bind_texts(struct engine *e)
{
    struct job *j = &e->job;
    struct trust_evidence *ev = &j->evidence;

    ev->headers_detail = j->headers_detail;
    ev->best_chain_detail = j->best_detail;
    ev->payload_detail = j->payload_detail;
    ev->source_detail = j->source_detail;
    ev->roots_detail = j->roots_detail;
    ev->vote_count = j->vote_count;
    for (size_t i = 0; i < j->vote_count; i++) {
        const struct peer *p = j->votes[i].peer;

        ev->votes[i].peer = p->url;
        ev->votes[i].identity = p->identity[0] != '\0' ? p->identity : p->url;
        ev->votes[i].group = p->group;
        ev->votes[i].as_number = p->as_number;
        memcpy(ev->votes[i].block_hash, j->votes[i].block_hash, 32);
    }
}

static void refuse(struct trust_verdict *v, enum trust_rule rule, enum reason reason,
                   const char *detail)
{
    struct trust_rule_result *r = &v->rules[rule];

    r->result = TRUST_FAIL;
    r->reason = reason;
    (void)snprintf(r->detail, sizeof(r->detail), "%s", detail);
    v->accepted = false;
    v->refused = true;
    v->reason = reason;
    v->decider = rule;
}

/* Genesis is built in: only what stands on it is judged. */
static void evaluate_genesis(const struct job *j, struct trust_verdict *v)
{
    *v = (struct trust_verdict){.accepted = true};
    for (size_t i = 0; i < TRUST_RULE_COUNT; i++) {
        v->rules[i].result = TRUST_NOT_APPLICABLE;
        (void)snprintf(v->rules[i].detail, sizeof(v->rules[i].detail),
                       "genesis is the built-in root");
    }
    if (j->evidence.headers == TRUST_FAILS || j->evidence.headers == TRUST_CANNOT)
        refuse(v, TRUST_RULE_HEADERS, REASON_HEADER_CHAIN_INVALID, j->headers_detail);
    else if (j->evidence.payload == TRUST_FAILS)
        refuse(v, TRUST_RULE_PAYLOAD, j->evidence.payload_reason, j->payload_detail);
}

void verdicts_evaluate(struct engine *e, struct trust_verdict *v)
{
    struct job *j = &e->job;

    bind_texts(e);
    statements_of_job(e);
    if (j->kind == INTAKE_GENESIS) {
        evaluate_genesis(j, v);
        return;
    }
    j->evidence.now_ms = clock_now_ms();
    trust_evaluate(&j->candidate, &j->evidence, &e->policy.rules, e->cfg->params, v);
}

/* --- what is written down --- */

static char *votes_text(const struct job *j)
{
    cJSON *list = cJSON_CreateArray();
    char *text;

    for (size_t i = 0; i < j->vote_count; i++)
        if (memcmp(j->votes[i].block_hash, j->candidate.block_hash, 32) == 0)
            cJSON_AddItemToArray(list, cJSON_CreateString(j->votes[i].peer->url));
    text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    return text;
}

/* The hash binds a document that is stored elsewhere to the entry: audit-log.md. */
static char *entry_text(const struct job *j, const char *row, int64_t id,
                        const char *name, const char *document, const char *verdict)
{
    uint8_t digest[32];
    char sum[65];

    hash_sha256(document, strlen(document), digest);
    hex_encode(digest, sizeof(digest), sum);
    return xasprintf(
        "{\"job_id\":\"job-%lld\",\"%s\":%lld,\"%s\":\"%s\",\"verdict\":%s}",
        (long long)j->id, row, (long long)id, name, sum, verdict);
}

static enum errc write_rejection(struct engine *e, const struct trust_verdict *v,
                                 const char *verdict, struct err *err)
{
    struct job *j = &e->job;
    AUTOFREE char *peers = votes_text(j);
    AUTOFREE char *reason = xstrdup(reason_code(v->reason));
    AUTOFREE char *body = NULL;
    AUTOFREE char *text = xstrdup(verdict);
    struct control_rejection r = {.at_ms = clock_now_ms(),
                                  .has_height = j->meta.has_height,
                                  .height = j->meta.height,
                                  .source = j->source,
                                  .peers = peers,
                                  .reason = reason,
                                  .verdict = text};
    int64_t id;

    r.block_hash = j->meta.has_block_hash ? j->meta.block_hash : NULL;
    r.state_hash = j->meta.has_state_hash ? j->meta.state_hash : NULL;
    if (control_rejection_insert(e->control, &r, &id, err))
        return err->code;
    body = entry_text(j, "rejection_id", id, "verdict_sha256", text, verdict);
    return control_audit_append(e->control, r.at_ms, "checkpoint_rejected", body, err);
}

static char *verdict_text(struct engine *e, const struct trust_verdict *v)
{
    cJSON *doc =
        trust_verdict_json(v, &e->job.candidate, &e->job.evidence, &e->policy.rules);
    char *text = cJSON_PrintUnformatted(doc);

    cJSON_Delete(doc);
    return text;
}

void verdicts_reject(struct engine *e, const struct trust_verdict *v)
{
    struct job *j = &e->job;
    const struct trust_rule_result *rule = &v->rules[v->decider];
    AUTOFREE char *verdict = verdict_text(e, v);
    struct err why, err = {0};

    (void)err_fail(&why, v->reason, "%s: saw %.60s, wanted %.60s%s%.60s",
                   trust_rule_name(v->decider), rule->saw, rule->wanted,
                   rule->detail[0] ? "; " : "", rule->detail);
    log_warn("checkpoint rejected", KV_S("reason", reason_code(v->reason)),
             KV_S("source", j->source), KV_U("height", j->meta.height),
             KV_S("detail", why.msg));
    incidents_of_verdict(e, v);
    engine_new_epoch(e);
    free(j->row.error);
    jobs_error_json(&why, job_state_name(j->state), &j->row.error);
    bootstrap_plan_retry(e, &why);
    diagnose_job_failed(e, &why);
    if (control_begin(e->control, &err) == ERR_OK) {
        if (write_rejection(e, v, verdict, &err) == ERR_OK &&
            jobs_move(e, JOB_EV_FAIL, why.msg, &err) == ERR_OK)
            (void)control_commit(e->control, &err);
        if (err.code)
            control_rollback(e->control);
    }
    if (err.code) {
        engine_halt(e, &err);
        return;
    }
    metrics_add(METRIC_CHECKPOINT_REJECTED, 1);
    jobs_moved(e);
}

/* --- a dry run --- */

static void add_rules(struct buf *out, const char *title, const struct trust_verdict *v,
                      enum trust_result result)
{
    const char *between = title;

    for (size_t i = 0; i < TRUST_RULE_COUNT; i++) {
        if (v->rules[i].result != result)
            continue;
        buf_puts(out, between);
        buf_puts(out, trust_rule_name((enum trust_rule)i));
        between = ", ";
    }
}

void verdicts_dry_run(struct engine *e, const struct trust_verdict *v)
{
    CLEANUP_BUF struct buf text = BUF(SUMMARY_MAX);

    buf_puts(&text, "nothing failed, nothing was fetched");
    add_rules(&text, "; passed: ", v, TRUST_PASS);
    add_rules(&text, "; not known yet: ", v, TRUST_SKIPPED);
    log_info("dry run passed", KV_U("job", e->job.id), KV_S("detail", text.data));
    if (!e->live.state)
        (void)snprintf(e->waiting_for, sizeof(e->waiting_for),
                       "a checkpoint: the dry run passed; call sync.start without it");
    jobs_event(e, JOB_EV_DRY_DONE, text.data);
}

/* --- acceptance --- */

static enum errc write_checkpoint(struct engine *e, const char *provenance,
                                  const char *verdict, int64_t now, struct err *err)
{
    struct job *j = &e->job;
    char attested[] = "attested";
    AUTOFREE char *doc = xstrdup(provenance);
    AUTOFREE char *body = NULL;
    struct control_checkpoint k = {.height = j->meta.height,
                                   .source = j->source,
                                   .trust = attested,
                                   .provenance = doc,
                                   .generation = e->building.id,
                                   .job_id = j->id,
                                   .accepted_ms = now};
    struct control_generation g = {.id = e->building.id,
                                   .state = CONTROL_GEN_BUILDING,
                                   .height = j->meta.height,
                                   .created_ms = now};

    memcpy(k.block_hash, j->candidate.block_hash, 32);
    memcpy(k.state_root, j->ingested.coins.state_root, 32);
    memcpy(k.work, j->checkpoint_work.be, WORK_BYTES);
    k.state_hash = j->meta.has_state_hash ? j->meta.state_hash : NULL;
    if (control_checkpoint_insert(e->control, &k, &k.id, err))
        return err->code;
    body = entry_text(j, "checkpoint_id", k.id, "provenance_sha256", doc, verdict);
    g.checkpoint_id = k.id;
    memcpy(g.block_hash, k.block_hash, 32);
    memcpy(g.state_root, k.state_root, 32);
    if (control_generation_update(e->control, &g, err) ||
        control_generation_activate(e->control, g.id, now, err) ||
        control_audit_append(e->control, now, "checkpoint_accepted", body, err))
        return err->code;
    k.state_hash = k.source = k.trust = k.provenance = NULL;
    e->checkpoint = k;
    (void)snprintf(e->checkpoint_trust, sizeof(e->checkpoint_trust), "%s", attested);
    return ERR_OK;
}

enum errc verdicts_accept(struct engine *e, const struct trust_verdict *v,
                          struct err *err)
{
    struct job *j = &e->job;
    AUTOFREE char *verdict = verdict_text(e, v);
    AUTOFREE char *provenance = provenance_text(e, v);

    if (control_begin(e->control, err))
        return err->code;
    if (write_checkpoint(e, provenance, verdict, clock_now_ms(), err) ||
        jobs_move(e, JOB_EV_OK, NULL, err) || control_commit(e->control, err)) {
        control_rollback(e->control);
        return err->code;
    }
    e->has_checkpoint = true;
    metrics_add(METRIC_CHECKPOINT_ACCEPTED, 1);
    metrics_set(METRIC_CHECKPOINT_WORK, work_double(&j->checkpoint_work));
    log_info("checkpoint accepted", KV_U("height", j->meta.height),
             KV_S("block_hash", j->meta.block_hash), KV_S("source", j->source),
             KV_U("coins", j->ingested.coins.coin_count));
    return ERR_OK;
}
