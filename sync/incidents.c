#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sync/core.h"

void incidents_count(struct engine *e)
{
    struct err err;

    if (control_incident_count(e->control, &e->incidents_open, &err))
        log_warn("incidents not counted, ignoring", KV_S("detail", err.msg));
}

static enum errc write_incident(struct engine *e, const struct control_incident *i,
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
        if (write_incident(e, &i, &fresh, &err) == ERR_OK)
            (void)control_commit(e->control, &err);
        if (err.code)
            control_rollback(e->control);
    }
    if (err.code)
        engine_halt(e, &err);
    else if (fresh)
        log_error("incident", KV_S("kind", kind_text), KV_S("subject", subject),
                  KV_S("evidence", evidence_text), KV_S("hint", reason_hint(kind)));
    incidents_count(e);
}
