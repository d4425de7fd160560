#include <string.h>

#include "rpc/methods.h"
#include "rpc/out.h"

/* What the operator can do about a cause, beside what its hint says. */
struct choice {
    const char *cause;
    const char *method, *what;
};
static const struct choice choices[] = {
    {"no_peers", "peers.add", "name a peer"},
    {"peers_unreachable", "peers.list", "see what each said last"},
    {"peers_unreachable", "peers.add", "name a peer elsewhere"},
    {"all_peers_banned", "peers.list", "see the evidence against each"},
    {"all_peers_banned", "peers.unban", "pardon one that was banned wrongly"},
    {"no_quorum", "peers.add", "name peers that can report the block"},
    {"insufficient_diversity", "peers.add", "name peers in other networks"},
    {"no_peer_serves_next_block", "peers.add", "name peers that serve blocks"},
    {"no_candidate", "sync.start", "name a checkpoint's URL or file"},
    {"no_candidate", "checkpoint.candidates", "see what peers offer"},
    {"unsigned", "sync.start", "name a signed checkpoint"},
    {"untrusted_signer", "signers.add", "trust the key, if you do"},
    {"threshold_not_met", "sync.start", "name a checkpoint with more signatures"},
    {"equivocation", "rejections.list", "see who reports which block"},
    {"conflicts_trust_root", "roots.list", "see the pinned blocks"},
    {"revoked", "sync.start", "name another checkpoint"},
    {"job_stalled", "jobs.get", "see its stage and sources"},
    {"job_stalled", "sync.cancel", "end it"},
    {"incident_open", "incidents.list", "see the evidence"},
    {"incident_open", "incidents.resolve", "say how it was settled"},
    {"storage_corrupt", "sync.rebootstrap", "build a new generation"},
    {"reorg_below_checkpoint", "sync.rebootstrap", "take another checkpoint"},
    {"source_unreachable", "sync.start", "name another source"},
    {"source_too_slow", "sync.start", "name another source"},
    {"source_changed", "sync.start", "name another source"},
    {"payload_hash_mismatch", "sync.start", "name another source"},
    {"behind", "peers.list", "see whether the peers answer"},
};

static void add_choices(cJSON *list, const char *cause)
{
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        cJSON *o;

        if (strcmp(choices[i].cause, cause) != 0)
            continue;
        o = cJSON_CreateObject();
        cJSON_AddItemToArray(list, o);
        out_text(o, "method", choices[i].method);
        out_text(o, "what", choices[i].what);
    }
}

METHODS_HANDLER(health_diagnose)
{
    struct engine_status s;
    bool healthy;

    (void)p;
    (void)err;
    engine_status(ctx->engine, &s);
    healthy = s.diagnosis.cause[0] == '\0';
    cJSON_AddBoolToObject(result, "healthy", healthy);
    out_text(result, "cause", healthy ? NULL : s.diagnosis.cause);
    out_time(result, "since", s.diagnosis.since_ms);
    out_text(result, "evidence", healthy ? NULL : s.diagnosis.evidence);
    out_text(result, "hint", healthy ? NULL : s.diagnosis.hint);
    add_choices(cJSON_AddArrayToObject(result, "choices"), s.diagnosis.cause);
    return ERR_OK;
}
