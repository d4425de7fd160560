#ifndef TESTS_UNIT_TRUST_KIT_H
#define TESTS_UNIT_TRUST_KIT_H

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/trust/trust.h"
#include "tests/unit/test.h"

/* A checkpoint that every rule accepts, made of the fixture at height 200; tests change
   one thing in it.  Texts point into doc. */
struct kit {
    cJSON *doc;
    struct trust_candidate candidate;
    struct trust_evidence evidence;
    struct trust_policy policy;
    struct chain_params params;
    struct trust_verdict verdict;
};

/* A file of tests/data/checkpoint, or one of its neighbours: "../trust/vectors.json".
 */
static inline cJSON *kit_read(const char *name)
{
    char path[512];
    static char text[1 << 20];
    size_t n;
    FILE *f;
    cJSON *doc;

    (void)snprintf(path, sizeof(path), "%s/checkpoint/%s", TEST_DATA, name);
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    n = fread(text, 1, sizeof(text), f);
    (void)fclose(f);
    doc = cJSON_ParseWithLength(text, n);
    ck_assert_msg(doc != NULL, "%s", path);
    return doc;
}

static inline const char *kit_text(const cJSON *doc, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(doc, key));
}

/* Fills the candidate from a payload's members, as the engine does from payload_meta.
 */
static inline void kit_candidate(struct kit *k, const char *name)
{
    struct trust_candidate *c = &k->candidate;
    const cJSON *work;
    char text[32];

    cJSON_Delete(k->doc);
    k->doc = kit_read(name);
    memset(c, 0, sizeof(*c));
    c->source = "https://cp.example/cp.json";
    c->has_height = c->has_block_hash = c->has_state_hash = true;
    c->height = (uint64_t)cJSON_GetObjectItem(k->doc, "height")->valuedouble;
    ck_assert(hex_hash(kit_text(k->doc, "block_hash"), c->block_hash));
    (void)snprintf(c->state_hash, sizeof(c->state_hash), "%s",
                   kit_text(k->doc, "state_hash"));
    work = cJSON_GetObjectItem(k->doc, "work");
    if (cJSON_IsNumber(work) && work->valuedouble >= 0) {
        (void)snprintf(text, sizeof(text), "%.0f", work->valuedouble);
        c->has_work = work_parse(text, &c->work);
    } else if (work) {
        c->malformed = "work: not a non-negative integer";
    }
    c->signatures[0].pubkey = kit_text(k->doc, "pubkey");
    c->signatures[0].signature = kit_text(k->doc, "signature");
    c->signature_count = 1;
}

static inline void kit_vote(struct kit *k, const char *peer, const char *group,
                            const char *identity, uint8_t fill)
{
    struct trust_vote *v = &k->evidence.votes[k->evidence.vote_count++];

    *v = (struct trust_vote){.peer = peer, .group = group, .identity = identity};
    memcpy(v->block_hash, k->candidate.block_hash, 32);
    if (fill)
        memset(v->block_hash, fill, 32);
}

static inline void kit_init(struct kit *k)
{
    static const char key[] =
        "027959deb8428b63e9086f9ec63e0b5e6cf1432f826fb59681996c5b3eefc65a17";
    struct trust_evidence *e = &k->evidence;

    memset(k, 0, sizeof(*k));
    kit_candidate(k, "payload_200.json");
    k->params = *params_find("testnet");
    k->candidate.network = "testnet";
    k->policy.quorum = 3;
    k->policy.min_peers = 2;
    k->policy.threshold = 1;
    k->policy.min_confirmations = 6;
    k->policy.header_proof_full = true;
    k->policy.min_delta = 100;
    k->policy.max_age_seconds = 3600;
    ck_assert(work_parse("297015", &k->policy.min_work));
    ck_assert(trust_key_parse(key, &k->policy.keys[0]));
    k->policy.key_count = 1;
    e->votes_collected = TRUST_HOLDS;
    kit_vote(k, "http://a", "10.0.0.0/16", "a", 0);
    kit_vote(k, "http://b", "10.0.0.0/16", "b", 0);
    kit_vote(k, "http://c", "10.1.0.0/16", "c", 0);
    e->headers = TRUST_HOLDS;
    e->headers_full = true;
    e->work = k->candidate.work;
    e->block_time = 1000000;
    e->has_block_time = true;
    e->now_ms = 1003600000;
    e->best_chain = TRUST_HOLDS;
    e->confirmations_collected = TRUST_HOLDS;
    e->confirmations = 6;
    e->next_block = TRUST_HOLDS;
    e->next_block_peers = 1;
    e->payload = TRUST_HOLDS;
    e->source = TRUST_HOLDS;
    e->has_tip = true;
    e->tip_height = 100;
    e->has_latest = true;
    e->latest_height = 150;
    ck_assert(work_parse("92265", &e->latest_work));
}

static inline void kit_fini(struct kit *k)
{
    cJSON_Delete(k->doc);
}

static inline void kit_judge(struct kit *k)
{
    trust_evaluate(&k->candidate, &k->evidence, &k->policy, &k->params, &k->verdict);
}

static inline const struct trust_rule_result *kit_rule(struct kit *k,
                                                       enum trust_rule rule)
{
    kit_judge(k);
    return &k->verdict.rules[rule];
}

static inline void kit_expect_at(struct kit *k, enum trust_rule rule,
                                 enum trust_result result, enum reason reason, int line)
{
    const struct trust_rule_result *r = kit_rule(k, rule);

    ck_assert_msg(r->result == result, "line %d: %s is %s (%s)", line,
                  trust_rule_name(rule), trust_result_name(r->result), r->detail);
    ck_assert_msg(r->reason == reason, "line %d: %s says %s (%s)", line,
                  trust_rule_name(rule), reason_code(r->reason), r->detail);
    if (result == TRUST_FAIL) {
        ck_assert_msg(k->verdict.refused && !k->verdict.accepted, "line %d", line);
    }
}
#define EXPECT_FAIL(k, id, why) \
    kit_expect_at((k), TRUST_RULE_##id, TRUST_FAIL, REASON_##why, __LINE__)
#define EXPECT(k, id, result) \
    kit_expect_at((k), TRUST_RULE_##id, TRUST_##result, REASON_NONE, __LINE__)

#endif
