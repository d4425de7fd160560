#ifndef RPC_METHODS_H
#define RPC_METHODS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "rpc/param.h"
#include "rpc/rpc.h"
#include "sync/reads.h"

/*
 * The methods: one table, compared with openapi/openrpc.json by a test.  A handler
 * knows nothing of HTTP; it runs on any HTTP thread.
 */

/* Every parameter there is; a name means the same in every method. */
struct params {
    const char *url, *path, *block_hash, *idempotency_key, *reason, *peer, *hash, *txid,
        *key, *id, *base;
    struct span payload, certificate, policy, manifest, revocation;
    struct param_int height, checkpoint_id, vout, limit, after, timeout_ms, from, count,
        threshold, incident, seconds;
    int mode, state, choice, format; /* places in methods_modes, _states, _choices,
                                        _formats */
    bool dry_run, back;
    int64_t job_id, cursor, since;
};
extern const char *const methods_modes[];   /* "partial", "full" */
extern const char *const methods_states[];  /* jobs.list's state */
extern const char *const methods_choices[]; /* of incidents.resolve */
extern const char *const methods_formats[]; /* of snapshot.export */

/* One call. */
struct rpc_ctx {
    const struct rpc_config *cfg;
    struct engine *engine;
    struct reads *reads;
    const struct method *methods; /* the table calls are looked up in */
    enum rpc_role role;
    const char *actor; /* whose token it was, for the audit log */
    bool alone;        /* not in a batch */
    bool may_wait;     /* the server can call the handler again, later */
    bool may_defer; /* the server can make the call again on a thread for slow ones */
    /* what a handler asks of the server: */
    int64_t wait_job; /* call again when this job ended or wait_ms passed */
    int64_t wait_ms;
    bool stop; /* once this is answered, end the program */
};

struct method {
    const char *name; /* NULL ends the table */
    enum rpc_role role;
    const struct param_spec *params;
    /* Adds its members to result, an empty object. */
    enum errc (*call)(struct rpc_ctx *ctx, const struct params *p, cJSON *result,
                      struct err *err);
    const char *summary;
    bool slow; /* reads much, or waits for others */
};

const struct method *methods_table(void);
/* NULL: none has this name. */
const struct method *methods_find(const struct method *methods, const char *name);

#define METHODS_HANDLER(name)                                             \
    enum errc methods_##name(struct rpc_ctx *ctx, const struct params *p, \
                             cJSON *result, struct err *err)
METHODS_HANDLER(sync_status);
METHODS_HANDLER(sync_start);
METHODS_HANDLER(sync_rebootstrap);
METHODS_HANDLER(sync_wait);
METHODS_HANDLER(sync_cancel);
METHODS_HANDLER(jobs_list);
METHODS_HANDLER(jobs_get);
METHODS_HANDLER(checkpoint_list);
METHODS_HANDLER(checkpoint_provenance);
METHODS_HANDLER(checkpoint_evaluate);
METHODS_HANDLER(checkpoint_candidates);
METHODS_HANDLER(rejections_list);
METHODS_HANDLER(rejections_stats);
METHODS_HANDLER(audit_list);
METHODS_HANDLER(audit_verify);
METHODS_HANDLER(audit_head);
METHODS_HANDLER(audit_export);
METHODS_HANDLER(incidents_list);
METHODS_HANDLER(peers_list);
METHODS_HANDLER(peers_add);
METHODS_HANDLER(peers_remove);
METHODS_HANDLER(peers_ban);
METHODS_HANDLER(peers_unban);
METHODS_HANDLER(health_diagnose);
METHODS_HANDLER(chain_tip);
METHODS_HANDLER(chain_header);
METHODS_HANDLER(chain_headers);
METHODS_HANDLER(chain_block);
METHODS_HANDLER(chain_coin);
METHODS_HANDLER(chain_supply);
METHODS_HANDLER(incidents_resolve);
METHODS_HANDLER(checkpoint_revoke);
METHODS_HANDLER(signers_list);
METHODS_HANDLER(signers_add);
METHODS_HANDLER(signers_remove);
METHODS_HANDLER(signers_threshold);
METHODS_HANDLER(signers_certificate);
METHODS_HANDLER(attestations_list);
METHODS_HANDLER(attestations_make);
METHODS_HANDLER(roots_list);
METHODS_HANDLER(roots_add);
METHODS_HANDLER(roots_remove);
METHODS_HANDLER(policy_get);
METHODS_HANDLER(policy_simulate);
METHODS_HANDLER(snapshot_create);
METHODS_HANDLER(snapshot_list);
METHODS_HANDLER(snapshot_get);
METHODS_HANDLER(snapshot_verify);
METHODS_HANDLER(snapshot_merge);
METHODS_HANDLER(snapshot_withdraw);
METHODS_HANDLER(snapshot_delete);
METHODS_HANDLER(snapshot_publish);
METHODS_HANDLER(snapshot_unpublish);
METHODS_HANDLER(snapshot_export);
METHODS_HANDLER(snapshot_delta);
METHODS_HANDLER(generations_list);
METHODS_HANDLER(daemon_info);
METHODS_HANDLER(daemon_stop);
METHODS_HANDLER(rpc_discover);

/* The source that p names, as the engine takes it.  *payload is the caller's to free
   and has to outlive the request.  INVALID when more than one is named. */
enum errc methods_source(const struct params *p, struct engine_request *req,
                         char **payload, struct err *err);

/* A document that was given as a parameter in its one spelling: whoever pastes one may
   have indented it, which changes nothing of what was signed. */
enum errc methods_canonical(const char *name, const struct span *text, struct buf *out,
                            struct err *err);

/* By height on the active chain, or by hash on any branch; active: on that chain. */
enum errc methods_find_header(struct reader *reader, const struct params *p,
                              struct chaindb_header *h, bool *active, struct err *err);

/* How far something is: the member progress of sync.status and of a job. */
void methods_progress(cJSON *result, const struct engine_progress *s);

/* The job as jobs.get shows it. */
enum errc methods_job(struct rpc_ctx *ctx, int64_t id, cJSON *result, struct err *err);

#endif
