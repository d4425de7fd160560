#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sync/core.h"
#include "sync/snapshot/manifest.h"

/* checkpoint.evaluate of a snapshot's manifest: the rules that need no body, which is
   not asked for.  Nothing is fetched, so it is answered at once. */

static enum errc judge(struct engine *e, const struct manifest *m,
                       struct manifest_texts *texts, cJSON **result, struct err *err)
{
    struct trust_evidence ev = {.why_not_yet = "peers are not asked by an evaluation",
                                .now_ms = clock_now_ms()};
    struct statements heard = {.count = 0};
    struct trust_candidate c;
    struct trust_verdict v;
    enum errc rc;

    manifest_candidate(m, "inline", texts, &c);
    rc = verdicts_past(e, &ev, err);
    if (!rc)
        rc = evaluate_own_chain(e, &c, &ev, err);
    if (!rc)
        rc = statements_load(e, c.height, c.block_hash, &heard, err);
    if (!rc) {
        statements_bind(&heard, &ev);
        ev.source = TRUST_HOLDS;
        trust_evaluate(&c, &ev, &e->policy.rules, e->cfg->params, &v);
        *result = trust_verdict_json(&v, &c, &ev, &e->policy.rules);
    }
    statements_fini(&heard);
    return rc;
}

void evaluate_manifest_call(struct engine *e, struct call *call)
{
    CLEANUP(manifest_free) struct manifest *m = NULL;
    AUTOFREE struct manifest_texts *texts = xcalloc(1, sizeof(*texts));
    const char *text = call->req->document;
    cJSON *result = NULL;
    struct err err = {0};

    if (manifest_parse(text, strlen(text), &m, &err) == ERR_OK)
        (void)judge(e, m, texts, &result, &err);
    call_answer(call, result, err.code ? &err : NULL);
}
