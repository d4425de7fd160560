#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/u128.h"
#include "sync/chain/params.h"
#include "sync/trust/trust.h"

/*
 * The sync engine: one thread that owns every job, every peer and both databases' only
 * writers.  Others talk to it in messages, each answered exactly once, and read a
 * published copy of the status.
 */
struct engine;

/* Where snapshots are published: docs/publishing.md.  As sync/publish/s3target.h. */
struct engine_publish {
    const char *endpoint, *region, *bucket, *prefix; /* endpoint "": nowhere */
    const char *credentials_file;                    /* "": the environment has them */
    bool path_style;
    bool automatic;         /* as soon as enough keys that are trusted have signed */
    unsigned stall_seconds; /* a request that moves nothing for so long is given up */
    unsigned watch_seconds; /* between looks at what is published; 0: none */
};

struct engine_config {
    const struct chain_params *params; /* outlives the engine */
    const char *data_dir;
    const char *const *peers;   /* base URLs; NULL-ended */
    const char *checkpoint_url; /* "" when none */
    const char *const *mirrors; /* URLs under which snapshots lie by id; NULL-ended */
    bool bootstrap_at_start; /* from checkpoint_url, unasked, while there is no state */
    bool force_at_start;     /* once at every start, though there is a state */
    uint64_t request_rate_seconds;     /* least time between two tries unasked */
    uint64_t fallback_genesis_seconds; /* without a checkpoint to take for that long,
                                          from genesis; 0: never */
    const char *public_url; /* of our public plane as others reach it; "": not told */
    bool keep_snapshots;    /* and so are the frames of a snapshot */
    bool keep_payload;      /* the accepted payload is kept, for other nodes to have */
    struct trust_policy policy;
    uint64_t transfer_min_speed, transfer_max_bytes;
    uint64_t transfer_bandwidth; /* bytes a second of a snapshot's body; 0: any */
    unsigned transfer_connections;
    const char *const *allow_networks; /* NULL-ended */
    const char *const *allow_paths;    /* directories sync.start may read; NULL-ended */
    const char *file_key; /* path of the Fernet key of checkpoint files; "": none */
    unsigned poll_seconds;
    unsigned ready_max_behind;
    unsigned workers;         /* 0: one a core */
    bool p2p_enabled;         /* else no P2P node, and no ws peers are dialled */
    const char *p2p_listen;   /* "0.0.0.0:8333", "[::]:8333"; "": nobody may connect */
    unsigned p2p_outbound;    /* P2P connections of ours to have */
    const char *asn_database; /* path of an MMDB file; "": none */
    const char *const *dns_seeds; /* host names; NULL-ended */
    uint64_t snapshots_every; /* a snapshot at each so many blocks; 0: none unasked */
    uint64_t snapshots_keep;  /* of those */
    struct engine_publish publish;
};

/* Opens the data directory (locked, created if missing), resumes what was under way.
   cfg is borrowed for the engine's life. */
enum errc engine_start(const struct engine_config *cfg, struct engine **out,
                       struct err *err);
/* From now on calls are answered with SHUTTING_DOWN, also those that wait: whoever
   serves them can end.  The engine itself goes on until engine_stop. */
void engine_refuse_calls(struct engine *e);
/* Answers what is waiting with SHUTTING_DOWN, cancels, joins.  NULL: no-op. */
void engine_stop(struct engine *e);

/* The node's own key, for the engine's life; any thread may sign with it. */
struct identity;
const struct identity *engine_identity(const struct engine *e);
/* Where the P2P server listens, "127.0.0.1:40001"; "" without one. */
const char *engine_p2p_address(const struct engine *e);

/* --- messages: any thread; blocks until answered; short by design --- */
enum engine_op {
    ENGINE_SYNC_START,       /* source: result {job_id} */
    ENGINE_SYNC_REBOOTSTRAP, /* source and reason: result {job_id} */
    ENGINE_SYNC_CANCEL,      /* job_id: result the job */
    ENGINE_EVALUATE,         /* source: result the verdict; changes nothing */
    ENGINE_CANDIDATES,       /* result what peers offer now; asks them again */
    ENGINE_PEERS_LIST,       /* result {peers, known} */
    ENGINE_PEERS_ADD,        /* peer: result {peer} */
    ENGINE_PEERS_REMOVE,     /* peer: result {removed} */
    ENGINE_PEERS_BAN,        /* peer, ban_seconds, reason: result {peer} */
    ENGINE_PEERS_UNBAN,      /* peer: result {peer} */
    ENGINE_AUDIT_HEAD,       /* result the head, signed by the node's key */
    /* Who is trusted; each change is audited with reason. */
    ENGINE_SIGNERS_LIST,        /* result {threshold, keys, ...} */
    ENGINE_SIGNERS_ADD,         /* key; result as of the list, like the next three */
    ENGINE_SIGNERS_REMOVE,      /* key */
    ENGINE_SIGNERS_THRESHOLD,   /* threshold; not given: the set's own again */
    ENGINE_SIGNERS_CERTIFICATE, /* document */
    ENGINE_ROOTS_LIST,          /* result {roots} */
    ENGINE_ROOTS_ADD,           /* height, block_hash; result as of the list */
    ENGINE_ROOTS_REMOVE,        /* height */
    ENGINE_REVOKE,              /* height, block_hash; result what came of it */
    ENGINE_INCIDENTS_RESOLVE,   /* incident, choice; result {incident, choice, ...} */
    ENGINE_POLICY_GET,          /* result the policy in force */
    ENGINE_ATTEST,              /* result the attestation of the state at the tip */
    /* docs/publishing.md */
    ENGINE_SNAPSHOT_CREATE,   /* height, block_hash, none needed: result {job_id} */
    ENGINE_SNAPSHOT_VERIFY,   /* snapshot: result {job_id} */
    ENGINE_SNAPSHOT_MERGE,    /* snapshot, document: result {id, added, ...} */
    ENGINE_SNAPSHOT_WITHDRAW, /* snapshot, reason, document or none: result what was
                                 signed, or is to be */
    ENGINE_SNAPSHOT_DELETE,   /* snapshot: result what it was */
    ENGINE_SNAPSHOT_EXPORT,   /* snapshot, format, path, key or none: result {job_id} */
    ENGINE_SNAPSHOT_DELTA,    /* base, snapshot, path: result {job_id} */
    ENGINE_SNAPSHOT_PUBLISH,  /* snapshot, back: result {job_id} */
    ENGINE_SNAPSHOT_UNPUBLISH, /* snapshot: result {job_id} */
    ENGINE_NOTE_ACT, /* an act carried out elsewhere (reason: its name) goes into
                        the audit log; result {} */
};

struct engine_request {
    enum engine_op op;
    /* the source, for start, rebootstrap and evaluate: at most one of url, path,
       payload; none: checkpoint.url */
    const char *url, *path;
    const char *payload; /* JSON text */
    bool has_height; /* what the operator expects; a source that says otherwise fails */
    uint64_t height;
    const char *block_hash; /* hex; NULL: any */
    bool full;              /* mode full: from genesis, no checkpoint */
    bool dry_run;           /* stop after deciding */
    const char *reason;     /* the operator's words, for the audit log; NULL */
    const char *peer;       /* a peer's URL */
    uint64_t ban_seconds;
    const char *idempotency_key;
    int64_t job_id;
    const char *key; /* of a signer, any spelling */
    bool has_threshold;
    unsigned threshold;
    const char *document; /* JSON text */
    const char *snapshot; /* id */
    const char *base;     /* id of the snapshot that a delta begins at */
    const char *format;   /* of an export: "payload", "chunks", "stock"; a constant */
    bool back;            /* latest.json may go to a lower height */
    int64_t incident;
    const char *choice;
    const char *actor; /* whose token it was, for the audit log; NULL: "operator" */
};

/* *result is the caller's.  BUSY when the engine's inbox is full. */
enum errc engine_call(struct engine *e, const struct engine_request *req,
                      cJSON **result, struct err *err);

/* --- status: any thread; a copy --- */
enum engine_state { /* where the node is, as sync.status names it */
                    ENGINE_IDLE,
                    ENGINE_DISCOVERING,
                    ENGINE_DECIDING,
                    ENGINE_PREFLIGHT,
                    ENGINE_FETCHING,
                    ENGINE_VERIFYING,
                    ENGINE_MOUNTING,
                    ENGINE_HEADERS,
                    ENGINE_BLOCKS,
                    ENGINE_FOLLOWING,
                    ENGINE_HALTED, /* an incident stops it; reads go on */
};
const char *engine_state_name(enum engine_state state);

struct engine_progress {
    char stage[16];
    uint64_t done, total; /* total 0: unknown */
    char unit[12];        /* "bytes", "headers", "blocks", "peers", "coins" */
    double rate;          /* units a second */
    int64_t eta_seconds;  /* -1: unknown */
};

enum { ENGINE_ERRANDS_MAX = 4 }; /* jobs at once beside the bootstrap */

struct engine_status {
    uint64_t seq; /* grows with every change */
    enum engine_state state;
    char waiting_for[160]; /* when idle or stuck: what for; "" otherwise */
    int64_t job_id;        /* 0: none */
    struct engine_progress progress;
    struct engine_errand {
        int64_t job_id; /* 0: none */
        struct engine_progress progress;
    } errands[ENGINE_ERRANDS_MAX];
    bool has_tip;
    uint64_t tip_height;
    uint8_t tip_hash[32];
    struct work tip_work;
    bool has_network_height;
    uint64_t network_height;
    bool has_checkpoint;
    int64_t checkpoint_id;
    uint64_t checkpoint_height;
    uint8_t checkpoint_hash[32];
    char checkpoint_trust[16];
    int64_t generation; /* live; 0: none */
    uint64_t incidents_open;
    int64_t started_ms;  /* wall clock */
    bool ready;          /* following, and within ready_max_behind */
    char ready_why[160]; /* when not */
    struct {             /* the one thing that blocks progress */
        char cause[48];  /* a reason's code, or a name of the same style; "": nothing */
        int64_t since_ms; /* wall clock; also of being healthy */
        char evidence[240], hint[200];
    } diagnosis;
};

void engine_status(struct engine *e, struct engine_status *out);

/* A JSON array of the sources of that job's body, appended; false: none is known.  Any
   thread. */
bool engine_job_sources(struct engine *e, int64_t job_id, struct buf *out);

/* What strangers hear of our peers: how many answered us lately, and of those that
   anybody may know (sync/peer/adverts.h) the URLs, a JSON array, appended.  Any thread.
 */
struct engine_peers {
    size_t answering, told;
};
struct engine_peers engine_peers_told(struct engine *e, struct buf *out);

/* Blocks until the status' seq differs from seen or timeout_ms passed; false then, and
   false at once when the engine is stopping (look at *stopping). */
bool engine_status_wait(struct engine *e, uint64_t seen, int64_t timeout_ms,
                        bool *stopping);

#endif
