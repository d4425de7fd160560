#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/body.h"
#include "sync/provenance.h"

static void add_hash(cJSON *o, const char *key, const uint8_t hash[32])
{
    char text[65];

    hex_encode(hash, 32, text);
    cJSON_AddStringToObject(o, key, text);
}

static void add_state(const struct job *j, cJSON *doc)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "state");
    char total[U128_TEXT + 2];

    u128_amount_text(j->ingested.coins.total, total);
    if (j->meta.has_state_hash)
        cJSON_AddStringToObject(o, "state_hash", j->meta.state_hash);
    else
        cJSON_AddNullToObject(o, "state_hash");
    add_hash(o, "state_root", j->ingested.coins.state_root);
    cJSON_AddNumberToObject(o, "coins", (double)j->ingested.coins.coin_count);
    cJSON_AddNumberToObject(o, "spent_entries", (double)j->ingested.spent);
    cJSON_AddStringToObject(o, "total", total);
    /* What stands behind the state, kept apart from what stands behind the block. */
    cJSON_AddBoolToObject(o, "signed", j->candidate.signature_count > 0);
    cJSON_AddBoolToObject(o, "equals_outputs_of_proven_blocks", j->compared);
    if (j->not_compared)
        cJSON_AddStringToObject(o, "not_compared_because", j->not_compared);
    else
        cJSON_AddNullToObject(o, "not_compared_because");
    cJSON_AddBoolToObject(o, "replayed", false);
}

static void add_work(const struct job *j, cJSON *doc)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "header_proof");
    char text[WORK_TEXT];

    cJSON_AddStringToObject(o, "kind", j->evidence.headers_full ? "full" : "window");
    cJSON_AddNumberToObject(o, "from", (double)j->evidence.headers_from);
    cJSON_AddNumberToObject(o, "to", (double)j->meta.height);
    work_text(&j->checkpoint_work, text);
    cJSON_AddStringToObject(o, j->evidence.headers_full ? "work_proven" : "work_seen",
                            text);
    if (j->candidate.has_work)
        cJSON_AddStringToObject(o, "work_claimed", j->meta.work);
    else
        cJSON_AddNullToObject(o, "work_claimed");
    cJSON_AddNumberToObject(o, "confirmations", (double)j->evidence.confirmations);
}

static void add_signatures(const struct job *j, cJSON *doc)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "signatures");

    for (size_t i = 0; i < j->candidate.signature_count; i++) {
        const char *key = j->candidate.signatures[i].pubkey;
        const char *signature = j->candidate.signatures[i].signature;
        cJSON *o = cJSON_CreateObject();

        cJSON_AddItemToArray(list, o);
        cJSON_AddStringToObject(o, "alg",
                                trust_key_alg_name(j->candidate.signatures[i].alg));
        cJSON_AddStringToObject(o, "pubkey", key ? key : "");
        cJSON_AddStringToObject(o, "signature", signature ? signature : "");
    }
}

static void add_source(const struct job *j, cJSON *doc)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "sources");
    cJSON *o = cJSON_CreateObject();

    cJSON_AddItemToArray(list, o);
    cJSON_AddStringToObject(o, "source", j->source);
    cJSON_AddNumberToObject(o, "bytes", (double)j->ingested.bytes);
}

/* Of a Cairn snapshot: what was signed, and who brought its body. */
static void add_snapshot(const struct job *j, cJSON *doc)
{
    char digest[65];
    cJSON *o;

    if (!j->body)
        return;
    body_digest_text(j->body, digest);
    o = cJSON_AddObjectToObject(doc, "snapshot");
    cJSON_AddStringToObject(o, "manifest_digest", digest);
    cJSON_AddItemToObject(o, "sources", body_sources_json(j->body));
}

static enum errc add_stage(void *arg, const struct control_stage *s, struct err *err)
{
    cJSON *o = cJSON_CreateObject();
    char when[CLOCK_TEXT];

    (void)err;
    cJSON_AddItemToArray(arg, o);
    cJSON_AddStringToObject(o, "stage", job_state_name((enum job_state)s->state));
    clock_text(s->started_ms, when);
    cJSON_AddStringToObject(o, "started_at", when);
    if (s->ended_ms > 0) {
        clock_text(s->ended_ms, when);
        cJSON_AddStringToObject(o, "ended_at", when);
    } else {
        cJSON_AddNullToObject(o, "ended_at");
    }
    return ERR_OK;
}

char *provenance_text(struct engine *e, const struct trust_verdict *v)
{
    struct job *j = &e->job;
    cJSON *doc = cJSON_CreateObject();
    char when[CLOCK_TEXT];
    struct err err;
    char *text;

    cJSON_AddNumberToObject(doc, "height", (double)j->meta.height);
    add_hash(doc, "block_hash", j->candidate.block_hash);
    cJSON_AddStringToObject(doc, "network", e->cfg->params->network);
    clock_text(clock_now_ms(), when);
    cJSON_AddStringToObject(doc, "accepted_at", when);
    add_state(j, doc);
    add_work(j, doc);
    add_signatures(j, doc);
    add_snapshot(j, doc);
    add_source(j, doc);
    cJSON_AddItemToObject(
        doc, "verdict",
        trust_verdict_json(v, &j->candidate, &j->evidence, &e->policy.rules));
    cJSON_AddItemToObject(doc, "policy", trust_policy_json(&e->policy.rules));
    (void)control_stage_each(e->control, j->id, add_stage,
                             cJSON_AddArrayToObject(doc, "timings"), &err);
    cJSON_AddStringToObject(doc, "software", "cairn/" CAIRN_VERSION);
    cJSON_AddNumberToObject(doc, "generation", (double)e->building.id);
    cJSON_AddBoolToObject(doc, "forced", j->forced);
    if (j->forced)
        cJSON_AddItemToObject(
            doc, "operator_reason",
            cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(j->request, "reason"), 1));
    text = cJSON_PrintUnformatted(doc);
    cJSON_Delete(doc);
    return text;
}
