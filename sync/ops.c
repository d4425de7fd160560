#include "base/log.h"
#include "sync/snappublish.h"
#include "sync/snapshots.h"

/* What operators change about trust: each change is one transaction with its act. */

enum errc ops_change(struct engine *e, const struct engine_request *req,
                     const char *act, cJSON *detail,
                     enum errc (*apply)(struct engine *e,
                                        const struct engine_request *req,
                                        struct err *err),
                     struct err *err)
{
    struct policy next;

    if (req->reason)
        cJSON_AddStringToObject(detail, "reason", req->reason);
    if (control_begin(e->control, err)) {
        cJSON_Delete(detail);
        return err->code;
    }
    if (acts_write(e, req, act, detail, err) || apply(e, req, err) ||
        policy_compute(e, &next, err) || control_commit(e->control, err)) {
        control_rollback(e->control);
        return err->code;
    }
    e->policy = next;
    log_info("trust changed", KV_S("act", act),
             KV_S("actor", req->actor ? req->actor : "operator"));
    revoke_review(e);
    return ERR_OK;
}

static enum errc get_policy(struct engine *e, const struct engine_request *req,
                            cJSON **result, struct err *err)
{
    (void)req;
    (void)err;
    *result = trust_policy_json(&e->policy.rules);
    return ERR_OK;
}

enum errc ops_call(struct engine *e, const struct engine_request *req, cJSON **result,
                   struct err *err)
{
    static enum errc (*const ops[])(struct engine *, const struct engine_request *,
                                    cJSON **, struct err *) = {
        [ENGINE_SIGNERS_LIST] = signers_list,
        [ENGINE_SIGNERS_ADD] = signers_add,
        [ENGINE_SIGNERS_REMOVE] = signers_remove,
        [ENGINE_SIGNERS_THRESHOLD] = signers_threshold,
        [ENGINE_SIGNERS_CERTIFICATE] = signers_certificate,
        [ENGINE_ROOTS_LIST] = roots_list,
        [ENGINE_ROOTS_ADD] = roots_add,
        [ENGINE_ROOTS_REMOVE] = roots_remove,
        [ENGINE_REVOKE] = revoke_call,
        [ENGINE_INCIDENTS_RESOLVE] = incidents_resolve,
        [ENGINE_POLICY_GET] = get_policy,
        [ENGINE_SNAPSHOT_CREATE] = snapmake_start,
        [ENGINE_SNAPSHOT_VERIFY] = snapverify_start,
        [ENGINE_SNAPSHOT_MERGE] = snapshots_merge,
        [ENGINE_SNAPSHOT_WITHDRAW] = snapshots_withdraw,
        [ENGINE_SNAPSHOT_DELETE] = snapshots_delete,
        [ENGINE_SNAPSHOT_EXPORT] = snapexport_start,
        [ENGINE_SNAPSHOT_DELTA] = snapdelta_start,
        [ENGINE_SNAPSHOT_PUBLISH] = snappublish_start,
        [ENGINE_SNAPSHOT_UNPUBLISH] = snappublish_withdraw,
    };

    return ops[req->op](e, req, result, err);
}
