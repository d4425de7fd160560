#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/trust/trust_rule.h"

/* Sources choose their texts, so those are cut and cleaned before they are shown. */
enum { SHOWN_TEXT = 512 };

static void add_text(cJSON *to, const char *key, const char *text)
{
    char safe[SHOWN_TEXT];

    (void)snprintf(safe, sizeof(safe), "%s", text); /* cut on purpose */
    trust_rule_clean(safe);
    (void)cJSON_AddStringToObject(to, key, safe);
}

static void add_hash(cJSON *to, const char *key, const uint8_t hash[32])
{
    char hex[65];

    hex_encode(hash, 32, hex);
    (void)cJSON_AddStringToObject(to, key, hex);
}

static void add_work(cJSON *to, const char *key, const struct work *work)
{
    char text[WORK_TEXT];

    work_text(work, text);
    (void)cJSON_AddStringToObject(to, key, text);
}

static void add_rule(cJSON *rules, enum trust_rule rule,
                     const struct trust_rule_result *r)
{
    cJSON *o = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(o, "rule", trust_rule_name(rule));
    (void)cJSON_AddStringToObject(o, "result", trust_result_name(r->result));
    (void)cJSON_AddStringToObject(o, "saw", r->saw);
    (void)cJSON_AddStringToObject(o, "wanted", r->wanted);
    (void)cJSON_AddStringToObject(o, "detail", r->detail);
    if (r->result == TRUST_FAIL)
        (void)cJSON_AddStringToObject(o, "reason", reason_code(r->reason));
    (void)cJSON_AddItemToArray(rules, o);
}

static void add_rules(cJSON *doc, const struct trust_verdict *verdict)
{
    cJSON *rules = cJSON_AddArrayToObject(doc, "rules");
    cJSON *missing = cJSON_AddArrayToObject(doc, "not_evaluated");

    for (enum trust_rule i = 0; i < TRUST_RULE_COUNT; i++) {
        const struct trust_rule_result *r = &verdict->rules[i];

        add_rule(rules, i, r);
        if (r->result == TRUST_SKIPPED)
            (void)cJSON_AddItemToArray(missing, cJSON_CreateString(trust_rule_name(i)));
    }
}

static void add_candidate(cJSON *doc, const struct trust_candidate *k)
{
    cJSON *o = cJSON_AddObjectToObject(doc, "candidate");
    char state_hash[65];

    if (k->source)
        add_text(o, "source", k->source);
    if (k->network)
        add_text(o, "network", k->network);
    if (k->malformed)
        add_text(o, "malformed", k->malformed);
    if (k->has_height)
        (void)cJSON_AddNumberToObject(o, "height", (double)k->height);
    if (k->has_block_hash)
        add_hash(o, "block_hash", k->block_hash);
    if (k->has_state_hash) {
        (void)snprintf(state_hash, sizeof(state_hash), "%.64s", k->state_hash);
        add_text(o, "state_hash", state_hash);
    }
    if (k->has_state_root)
        add_hash(o, "state_root", k->state_root);
    if (k->has_work)
        add_work(o, "work", &k->work);
    (void)cJSON_AddNumberToObject(o, "signatures", (double)k->signature_count);
}

static void add_votes(cJSON *doc, const struct trust_candidate *k,
                      const struct trust_evidence *e)
{
    cJSON *votes = cJSON_AddArrayToObject(doc, "votes");

    for (size_t i = 0; i < e->vote_count && i < TRUST_VOTES_MAX; i++) {
        const struct trust_vote *v = &e->votes[i];
        bool agrees =
            k->has_block_hash && memcmp(v->block_hash, k->block_hash, 32) == 0;
        cJSON *o = cJSON_CreateObject();

        add_text(o, "peer", v->peer ? v->peer : "");
        if (v->identity)
            add_text(o, "identity", v->identity);
        add_text(o, "group", v->group ? v->group : "");
        if (v->as_number != 0)
            (void)cJSON_AddNumberToObject(o, "as_number", v->as_number);
        add_hash(o, "block_hash", v->block_hash);
        (void)cJSON_AddBoolToObject(o, "agrees", agrees);
        (void)cJSON_AddItemToArray(votes, o);
    }
}

static void add_key(cJSON *to, const struct trust_key *key)
{
    char text[TRUST_KEY_TEXT];

    trust_key_text(key, text);
    (void)cJSON_AddStringToObject(to, "key", text);
}

static void add_signers(cJSON *doc, const struct trust_verdict *v)
{
    cJSON *list = cJSON_AddArrayToObject(doc, "signers");
    char text[TRUST_KEY_TEXT];

    for (size_t i = 0; i < v->signer_count; i++) {
        trust_key_text(&v->signers[i], text);
        (void)cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
}

/* Each signature on its own, since it is the key that is trusted or not. */
static void add_statement(cJSON *list, const struct trust_statement *s,
                          const struct trust_key *keys, size_t key_count)
{
    for (size_t i = 0; i < s->signature_count; i++) {
        cJSON *o = cJSON_CreateObject();
        const struct trust_key *key = &s->signatures[i].key;
        bool trusted = false;

        for (size_t k = 0; k < key_count; k++)
            trusted = trusted || trust_key_equal(&keys[k], key);
        add_key(o, key);
        if (s->type == TRUST_ATTESTATION)
            add_hash(o, "state_root", s->state_root);
        else
            add_text(o, "reason", s->reason);
        (void)cJSON_AddBoolToObject(o, "trusted",
                                    trusted && trust_statement_signed(s, key, 1) == 1);
        (void)cJSON_AddItemToArray(list, o);
    }
}

static void add_statements(cJSON *doc, const struct trust_candidate *k,
                           const struct trust_evidence *e, const struct trust_policy *p)
{
    cJSON *attested = cJSON_AddArrayToObject(doc, "attestations");
    cJSON *revoked = cJSON_AddArrayToObject(doc, "revocations");

    for (size_t i = 0; i < e->statement_count && i < TRUST_STATEMENTS_MAX; i++) {
        const struct trust_statement *s = e->statements[i];

        if (s->height != k->height || memcmp(s->block_hash, k->block_hash, 32) != 0)
            continue;
        if (s->type == TRUST_ATTESTATION)
            add_statement(attested, s, p->attesters, p->attester_count);
        else if (s->type == TRUST_REVOCATION)
            add_statement(revoked, s, p->keys, p->key_count);
    }
}

cJSON *trust_verdict_json(const struct trust_verdict *verdict,
                          const struct trust_candidate *candidate,
                          const struct trust_evidence *evidence,
                          const struct trust_policy *policy)
{
    cJSON *doc = cJSON_CreateObject();

    (void)cJSON_AddBoolToObject(doc, "accepted", verdict->accepted);
    if (verdict->refused)
        (void)cJSON_AddStringToObject(doc, "reason", reason_code(verdict->reason));
    else
        (void)cJSON_AddNullToObject(doc, "reason");
    add_rules(doc, verdict);
    add_candidate(doc, candidate);
    add_votes(doc, candidate, evidence);
    add_signers(doc, verdict);
    add_statements(doc, candidate, evidence, policy);
    return doc;
}
