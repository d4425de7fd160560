#include <stddef.h>
#include <string.h>

#include "rpc/methods.h"

const char *const methods_modes[] = {"partial", "full", NULL};
const char *const methods_states[] = {"queued", "running",   "succeeded",
                                      "failed", "cancelled", NULL};
const char *const methods_choices[] = {"keep", "replaced", "dismissed", NULL};

#define FIELD(name) #name, .offset = offsetof(struct params, name)
#define INT(name, least, most)                                        \
    {                                                                 \
        FIELD(name), .type = PARAM_INT, .min = (least), .max = (most) \
    }
#define STRING(name, least, most)                                        \
    {                                                                    \
        FIELD(name), .type = PARAM_STRING, .min = (least), .max = (most) \
    }

/* Page sizes: enough for a screen unless asked otherwise. */
#define LIMIT                                                                 \
    {                                                                         \
        FIELD(limit), .type = PARAM_INT, .min = 1, .max = 1000, .initial = 50 \
    }
#define CURSOR                              \
    {                                       \
        FIELD(cursor), .type = PARAM_CURSOR \
    }
#define HEIGHT INT(height, 0, PARAM_INT_MAX)
#define JOB                                                \
    {                                                      \
        FIELD(job_id), .type = PARAM_JOB, .required = true \
    }

/* A source and what is expected of it; one row for start and rebootstrap. */
#define SOURCE                                                     \
    STRING(url, 1, 2048), STRING(path, 1, 4096),                   \
        {FIELD(payload), .type = PARAM_OBJECT}, HEIGHT,            \
        {FIELD(block_hash), .type = PARAM_HASH},                   \
        {FIELD(mode), .type = PARAM_ENUM, .names = methods_modes}, \
        {FIELD(dry_run), .type = PARAM_BOOL}, STRING(idempotency_key, 1, 128)

static const struct param_spec none[] = {{0}};
static const struct param_spec sync_start[] = {SOURCE, {0}};
static const struct param_spec sync_rebootstrap[] = {
    {FIELD(reason), .type = PARAM_STRING, .required = true, .min = 1, .max = 500},
    SOURCE,
    {0},
};
static const struct param_spec sync_wait[] = {
    JOB,
    {FIELD(timeout_ms), .type = PARAM_INT, .max = 600000, .initial = 30000},
    {0},
};
static const struct param_spec one_job[] = {JOB, {0}};
static const struct param_spec jobs_list[] = {
    {FIELD(state), .type = PARAM_ENUM, .names = methods_states},
    LIMIT,
    CURSOR,
    {0},
};
static const struct param_spec page[] = {LIMIT, CURSOR, {0}};
static const struct param_spec limit_only[] = {LIMIT, {0}};
static const struct param_spec provenance[] = {
    HEIGHT,
    INT(checkpoint_id, 1, PARAM_INT_MAX),
    {0},
};
static const struct param_spec evaluate[] = {
    {FIELD(url), .type = PARAM_STRING, .admin = true, .min = 1, .max = 2048},
    {FIELD(path), .type = PARAM_STRING, .admin = true, .min = 1, .max = 4096},
    {FIELD(payload), .type = PARAM_OBJECT},
    {FIELD(manifest), .type = PARAM_OBJECT},
    {0},
};
static const struct param_spec rejections[] = {
    {FIELD(since), .type = PARAM_TIME},
    STRING(reason, 1, 64),
    STRING(peer, 1, 2048),
    HEIGHT,
    LIMIT,
    CURSOR,
    {0},
};
static const struct param_spec since_only[] = {
    {FIELD(since), .type = PARAM_TIME},
    {0},
};
static const struct param_spec headers[] = {
    {FIELD(from), .type = PARAM_INT, .required = true, .max = PARAM_INT_MAX},
    {FIELD(count), .type = PARAM_INT, .min = 1, .max = 2000, .initial = 100},
    {0},
};
static const struct param_spec audit_list[] = {
    INT(after, 0, PARAM_INT_MAX),
    LIMIT,
    {0},
};
#define PEER                                                                       \
    {                                                                              \
        FIELD(peer), .type = PARAM_STRING, .required = true, .min = 1, .max = 2048 \
    }
static const struct param_spec one_peer[] = {PEER, {0}};
static const struct param_spec peers_ban[] = {
    PEER,
    STRING(reason, 1, 500),
    {FIELD(seconds), .type = PARAM_INT, .min = 60, .max = 31536000, .initial = 86400},
    {0},
};
static const struct param_spec block[] = {
    HEIGHT,
    {FIELD(hash), .type = PARAM_HASH},
    {0},
};
static const struct param_spec coin[] = {
    {FIELD(txid), .type = PARAM_HASH, .required = true},
    {FIELD(vout), .type = PARAM_INT, .required = true, .max = UINT32_MAX},
    {0},
};

#define REASON                                                                      \
    {                                                                               \
        FIELD(reason), .type = PARAM_STRING, .required = true, .min = 1, .max = 200 \
    }
#define AT_HEIGHT                                                                \
    {                                                                            \
        FIELD(height), .type = PARAM_INT, .required = true, .max = PARAM_INT_MAX \
    }
static const struct param_spec signer[] = {
    {FIELD(key), .type = PARAM_STRING, .required = true, .min = 1, .max = 140},
    REASON,
    {0},
};
static const struct param_spec threshold[] = {INT(threshold, 0, 64), REASON, {0}};
static const struct param_spec certificate[] = {
    {FIELD(certificate), .type = PARAM_OBJECT, .required = true},
    STRING(reason, 1, 200),
    {0},
};
static const struct param_spec root_add[] = {
    AT_HEIGHT,
    {FIELD(hash), .type = PARAM_HASH, .required = true},
    REASON,
    {0},
};
static const struct param_spec root_remove[] = {AT_HEIGHT, REASON, {0}};
static const struct param_spec revoke[] = {
    AT_HEIGHT,
    {FIELD(block_hash), .type = PARAM_HASH, .required = true},
    REASON,
    {0},
};
static const struct param_spec resolve[] = {
    {FIELD(incident), .type = PARAM_INT, .required = true, .min = 1,
     .max = PARAM_INT_MAX},
    {FIELD(choice), .type = PARAM_ENUM, .required = true, .names = methods_choices},
    REASON,
    {0},
};
static const struct param_spec attestations[] = {HEIGHT, LIMIT, {0}};
static const struct param_spec simulate[] = {
    {FIELD(policy), .type = PARAM_OBJECT},
    INT(after, 0, PARAM_INT_MAX),
    LIMIT,
    {0},
};

#define SNAPSHOT                                                               \
    {                                                                          \
        FIELD(id), .type = PARAM_STRING, .required = true, .min = 1, .max = 39 \
    }
static const struct param_spec snapshot_create[] = {
    HEIGHT,
    {FIELD(block_hash), .type = PARAM_HASH},
    STRING(idempotency_key, 1, 128),
    {0},
};
static const struct param_spec one_snapshot[] = {SNAPSHOT, {0}};
static const struct param_spec snapshot_delete[] = {
    SNAPSHOT,
    STRING(reason, 1, 200),
    {0},
};
static const struct param_spec snapshot_verify[] = {
    SNAPSHOT,
    STRING(idempotency_key, 1, 128),
    {0},
};
static const struct param_spec snapshot_export[] = {
    SNAPSHOT,
    {FIELD(format), .type = PARAM_ENUM, .required = true, .names = methods_formats},
    STRING(path, 1, 4000),
    STRING(key, 66, 130),
    STRING(idempotency_key, 1, 128),
    {0},
};
static const struct param_spec snapshot_delta[] = {
    {FIELD(base), .type = PARAM_STRING, .required = true, .min = 1, .max = 39},
    SNAPSHOT,
    {FIELD(path), .type = PARAM_STRING, .required = true, .min = 1, .max = 4000},
    STRING(idempotency_key, 1, 128),
    {0},
};
static const struct param_spec snapshot_publish[] = {
    SNAPSHOT,
    {FIELD(back), .type = PARAM_BOOL},
    STRING(idempotency_key, 1, 128),
    {0},
};
static const struct param_spec snapshot_merge[] = {
    SNAPSHOT,
    {FIELD(manifest), .type = PARAM_OBJECT, .required = true},
    {0},
};
static const struct param_spec snapshot_withdraw[] = {
    SNAPSHOT,
    REASON,
    {FIELD(revocation), .type = PARAM_OBJECT},
    {0},
};

static const struct method table[] = {
    {"sync.status", RPC_ROLE_READ, none, methods_sync_status,
     "Where the node is, how long yet, and what it waits for", false},
    {"sync.start", RPC_ROLE_ADMIN, sync_start, methods_sync_start,
     "Bootstrap from a checkpoint, or from genesis with mode full", false},
    {"sync.wait", RPC_ROLE_READ, sync_wait, methods_sync_wait,
     "Answer when a job ended or the time is up", false},
    {"sync.cancel", RPC_ROLE_ADMIN, one_job, methods_sync_cancel, "End a job", false},
    {"sync.rebootstrap", RPC_ROLE_ADMIN, sync_rebootstrap, methods_sync_rebootstrap,
     "Build a new generation beside the live one, whatever the local height", false},
    {"jobs.list", RPC_ROLE_READ, jobs_list, methods_jobs_list, "Jobs, newest first",
     false},
    {"jobs.get", RPC_ROLE_READ, one_job, methods_jobs_get, "One job and its stages",
     false},
    {"checkpoint.list", RPC_ROLE_READ, page, methods_checkpoint_list,
     "Accepted checkpoints, newest first", false},
    {"checkpoint.provenance", RPC_ROLE_READ, provenance, methods_checkpoint_provenance,
     "Why a checkpoint was believed", false},
    {"checkpoint.candidates", RPC_ROLE_READ, none, methods_checkpoint_candidates,
     "What peers offer now, and what the rules say of it so far", false},
    {"checkpoint.evaluate", RPC_ROLE_READ, evaluate, methods_checkpoint_evaluate,
     "The verdict on a checkpoint; changes nothing", true},
    {"checkpoint.revoke", RPC_ROLE_ADMIN, revoke, methods_checkpoint_revoke,
     "Withdraw a checkpoint on this node; it halts if it stands on it", false},
    {"rejections.list", RPC_ROLE_READ, rejections, methods_rejections_list,
     "Checkpoints refused and why, newest first", false},
    {"rejections.stats", RPC_ROLE_READ, since_only, methods_rejections_stats,
     "How many checkpoints were refused, by reason and by source", true},
    {"audit.list", RPC_ROLE_READ, audit_list, methods_audit_list,
     "The audit log, oldest first", false},
    {"audit.verify", RPC_ROLE_READ, none, methods_audit_verify,
     "Whether the audit log was altered, and where first", true},
    {"audit.head", RPC_ROLE_READ, none, methods_audit_head,
     "The audit log's length and last hash, signed by the node's key", false},
    {"audit.export", RPC_ROLE_READ, none, methods_audit_export,
     "Where the whole audit log can be read, and how long it is", false},
    {"peers.list", RPC_ROLE_READ, none, methods_peers_list,
     "Peers in use and those that are banned", false},
    {"peers.add", RPC_ROLE_ADMIN, one_peer, methods_peers_add,
     "Use a peer from now on, also after a restart", false},
    {"peers.remove", RPC_ROLE_ADMIN, one_peer, methods_peers_remove,
     "Forget a peer that the configuration does not name; a ban of it stays", false},
    {"peers.ban", RPC_ROLE_ADMIN, peers_ban, methods_peers_ban,
     "Ask a peer nothing and let it in no more, for a time", false},
    {"peers.unban", RPC_ROLE_ADMIN, one_peer, methods_peers_unban,
     "End a peer's ban, whoever made it, under all its addresses", false},
    {"incidents.list", RPC_ROLE_READ, limit_only, methods_incidents_list,
     "Incidents with their evidence, newest first", false},
    {"health.diagnose", RPC_ROLE_READ, none, methods_health_diagnose,
     "The one thing that blocks progress, and what to do", false},
    {"incidents.resolve", RPC_ROLE_ADMIN, resolve, methods_incidents_resolve,
     "Decide what an incident left open", false},
    {"signers.list", RPC_ROLE_READ, none, methods_signers_list,
     "Whose signatures count, and why", false},
    {"signers.add", RPC_ROLE_ADMIN, signer, methods_signers_add, "Trust a key", false},
    {"signers.remove", RPC_ROLE_ADMIN, signer, methods_signers_remove,
     "Trust a key no more", false},
    {"signers.threshold", RPC_ROLE_ADMIN, threshold, methods_signers_threshold,
     "How many trusted keys must sign; without one, as many as the set says", false},
    {"signers.certificate", RPC_ROLE_ADMIN, certificate, methods_signers_certificate,
     "Follow the signer set to its next, which the present one signed", false},
    {"attestations.list", RPC_ROLE_READ, attestations, methods_attestations_list,
     "Who says that they derived which state, newest first", false},
    {"attestations.make", RPC_ROLE_ADMIN, none, methods_attestations_make,
     "Sign the state at the tip, which this node derived from genesis", true},
    {"roots.list", RPC_ROLE_READ, none, methods_roots_list,
     "Blocks that every accepted history contains", false},
    {"roots.add", RPC_ROLE_ADMIN, root_add, methods_roots_add, "Pin a block", false},
    {"roots.remove", RPC_ROLE_ADMIN, root_remove, methods_roots_remove,
     "Pin a block no more", false},
    {"chain.tip", RPC_ROLE_READ, none, methods_chain_tip, "The validated tip", false},
    {"chain.header", RPC_ROLE_READ, block, methods_chain_header,
     "A header by height or hash", false},
    {"chain.headers", RPC_ROLE_READ, headers, methods_chain_headers,
     "Headers of the active chain, upwards from a height", true},
    {"chain.block", RPC_ROLE_READ, block, methods_chain_block,
     "A block by height or hash, as the chain writes it", false},
    {"chain.coin", RPC_ROLE_READ, coin, methods_chain_coin,
     "Whether an output is unspent, and what it holds", false},
    {"chain.supply", RPC_ROLE_READ, none, methods_chain_supply,
     "The sum of all unspent coins", false},
    {"snapshot.create", RPC_ROLE_ADMIN, snapshot_create, methods_snapshot_create,
     "Make a snapshot of the state at the tip or at a recent height", false},
    {"snapshot.list", RPC_ROLE_READ, none, methods_snapshot_list,
     "Snapshots that are here, highest first", true},
    {"snapshot.get", RPC_ROLE_READ, one_snapshot, methods_snapshot_get,
     "One snapshot and its manifest", false},
    {"snapshot.verify", RPC_ROLE_ADMIN, snapshot_verify, methods_snapshot_verify,
     "Check every byte of a snapshot, and every signature", false},
    {"snapshot.export", RPC_ROLE_ADMIN, snapshot_export, methods_snapshot_export,
     "Write a snapshot in a shape of XAI's", false},
    {"snapshot.delta", RPC_ROLE_ADMIN, snapshot_delta, methods_snapshot_delta,
     "Write what leads from one snapshot to a later one", false},
    {"snapshot.merge", RPC_ROLE_ADMIN, snapshot_merge, methods_snapshot_merge,
     "Take the signatures of a manifest that was signed elsewhere", false},
    {"snapshot.withdraw", RPC_ROLE_ADMIN, snapshot_withdraw, methods_snapshot_withdraw,
     "Serve a snapshot no more, and tell that its checkpoint is withdrawn", false},
    {"snapshot.delete", RPC_ROLE_ADMIN, snapshot_delete, methods_snapshot_delete,
     "Remove a snapshot", false},
    {"snapshot.publish", RPC_ROLE_ADMIN, snapshot_publish, methods_snapshot_publish,
     "Put a snapshot on the object store", false},
    {"snapshot.unpublish", RPC_ROLE_ADMIN, snapshot_verify, methods_snapshot_unpublish,
     "Tell the object store that a snapshot was withdrawn", false},
    {"generations.list", RPC_ROLE_READ, none, methods_generations_list,
     "Generations of the state, newest first", false},
    {"policy.get", RPC_ROLE_READ, none, methods_policy_get,
     "The rules in force for checkpoints", false},
    {"policy.simulate", RPC_ROLE_READ, simulate, methods_policy_simulate,
     "Which past decisions another policy, or today's, would change", true},
    {"daemon.info", RPC_ROLE_READ, none, methods_daemon_info,
     "Version, network, configuration", false},
    {"daemon.stop", RPC_ROLE_ADMIN, none, methods_daemon_stop, "End the daemon", false},
    {"rpc.discover", RPC_ROLE_READ, none, methods_rpc_discover, "The OpenRPC document",
     false},
    {0},
};

const struct method *methods_table(void)
{
    return table;
}

const struct method *methods_find(const struct method *methods, const char *name)
{
    for (const struct method *m = methods; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}
