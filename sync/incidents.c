#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/core.h"
#include "sync/incidents_choices.h"

void incidents_count(struct engine *e)
{
    struct err err;

    if (control_incident_count(e->control, &e->incidents_open, &err))
        log_warn("incidents not counted, ignoring", KV_S("detail", err.msg));
}

enum errc incidents_write(struct engine *e, const struct control_incident *i,
                          bool *fresh, struct err *err)
{
    AUTOFREE char *body = NULL;
    int64_t id;

    if (control_incident_open(e->control, i, fresh, &id, err) || !*fresh)
        return err->code;
    body = xasprintf("{\"incident\":%lld,\"kind\":\"%s\",\"evidence\":%s}",
                     (long long)id, i->kind, i->evidence);
    return control_audit_append(e->control, i->opened_ms, "incident_opened", body, err);
}

void incidents_open(struct engine *e, enum reason kind, const char *subject,
                    cJSON *evidence)
{
    AUTOFREE char *kind_text = xstrdup(reason_code(kind));
    AUTOFREE char *subject_text = xstrdup(subject);
    AUTOFREE char *evidence_text = cJSON_PrintUnformatted(evidence);
    struct control_incident i = {.opened_ms = clock_now_ms(),
                                 .kind = kind_text,
                                 .subject = subject_text,
                                 .evidence = evidence_text};
    struct err err = {0};
    bool fresh = false;

    cJSON_Delete(evidence);
    if (control_begin(e->control, &err) == ERR_OK) {
        if (incidents_write(e, &i, &fresh, &err) == ERR_OK)
            (void)control_commit(e->control, &err);
        if (err.code)
            control_rollback(e->control);
    }
    if (err.code)
        engine_halt(e, &err);
    else if (fresh)
        log_error("incident", KV_S("kind", kind_text), KV_S("subject", subject),
                  KV_S("hint", reason_hint(kind)));
    incidents_count(e);
}

static void add_documents(const struct statements *heard, cJSON *list)
{
    for (size_t i = 0; i < heard->count; i++) {
        CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);

        if (heard->list[i]->type != TRUST_ATTESTATION)
            continue;
        trust_statement_write(heard->list[i], &text);
        cJSON_AddItemToArray(list, cJSON_CreateRaw(text.data));
    }
}

void incidents_of_verdict(struct engine *e, const struct trust_verdict *v)
{
    struct job *j = &e->job;
    cJSON *evidence;
    char hex[65];

    if (v->reason != REASON_EQUIVOCATION && v->reason != REASON_ATTESTATION_CONFLICT)
        return;
    hex_encode(j->candidate.block_hash, 32, hex);
    evidence = cJSON_CreateObject();
    cJSON_AddItemToObject(
        evidence, "verdict",
        trust_verdict_json(v, &j->candidate, &j->evidence, &e->policy.rules));
    add_documents(&j->heard, cJSON_AddArrayToObject(evidence, "statements"));
    incidents_open(e, v->reason, hex, evidence);
}

/* --- resolving --- */

static enum errc check_choice(const struct engine *e, const struct control_incident *i,
                              const char *choice, struct err *err)
{
    const char *const *may = incidents_choices(i->kind);
    char hex[65];

    while (*may && strcmp(*may, choice) != 0)
        may++;
    if (!*may)
        return err_set(err, ERR_INVALID, "choice: not one of those of this incident");
    hex_encode(e->checkpoint.block_hash, 32, hex);
    if (strcmp(choice, "replaced") == 0 && e->has_checkpoint && e->live.state &&
        strcmp(i->subject, hex) == 0)
        return err_set(err, ERR_CONFLICT,
                       "this node still stands on it; sync.rebootstrap first");
    return ERR_OK;
}

static enum errc write_resolution(struct engine *e, const struct engine_request *req,
                                  const struct control_incident *i, struct err *err)
{
    cJSON *detail = cJSON_CreateObject();

    cJSON_AddNumberToObject(detail, "incident", (double)i->id);
    cJSON_AddStringToObject(detail, "kind", i->kind);
    cJSON_AddStringToObject(detail, "choice", req->choice);
    cJSON_AddStringToObject(detail, "reason", req->reason);
    if (control_begin(e->control, err)) {
        cJSON_Delete(detail);
        return err->code;
    }
    if (acts_write(e, req, "incidents.resolve", detail, err) ||
        control_incident_resolve(e->control, i, err) ||
        control_commit(e->control, err)) {
        control_rollback(e->control);
        return err->code;
    }
    return ERR_OK;
}

/* A node that halted for it goes on. */
static void go_on(struct engine *e, const struct control_incident *i)
{
    enum reason kind;

    if (!e->halted || !reason_find(i->kind, &kind) || kind != e->halted_for.reason ||
        kind != REASON_REVOKED_LIVE)
        return;
    e->halted = false;
    e->waiting_for[0] = '\0';
    e->poll_at_mono_ms = 0;
}

static enum errc resolve(struct engine *e, const struct engine_request *req,
                         struct control_incident *i, struct err *err)
{
    if (i->resolved_ms != 0)
        return err_set(err, ERR_CONFLICT, "incident %lld was resolved already",
                       (long long)i->id);
    if (check_choice(e, i, req->choice, err))
        return err->code;
    i->resolved_ms = clock_now_ms();
    i->resolved_by = xstrdup(req->actor ? req->actor : "operator");
    i->choice = xstrdup(req->choice);
    i->note = xstrdup(req->reason);
    if (write_resolution(e, req, i, err))
        return err->code;
    go_on(e, i);
    incidents_count(e);
    return ERR_OK;
}

enum errc incidents_resolve(struct engine *e, const struct engine_request *req,
                            cJSON **result, struct err *err)
{
    struct control_incident i;
    cJSON *o;

    if (control_incident_get(e->control, req->incident, &i, err))
        return err->code;
    if (resolve(e, req, &i, err)) {
        control_incident_fini(&i);
        return err->code;
    }
    o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "incident", (double)i.id);
    cJSON_AddStringToObject(o, "kind", i.kind);
    cJSON_AddStringToObject(o, "choice", i.choice);
    cJSON_AddNumberToObject(o, "open", (double)e->incidents_open);
    *result = o;
    control_incident_fini(&i);
    return ERR_OK;
}
