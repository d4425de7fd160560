#include "tests/unit/trust_kit.h"

static struct kit k;

static void setup(void)
{
    kit_init(&k);
}

static void teardown(void)
{
    kit_fini(&k);
}

static const char *rule_text(const cJSON *doc, enum trust_rule rule, const char *key)
{
    const cJSON *r = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "rules"), (int)rule);

    ck_assert_str_eq(kit_text(r, "rule"), trust_rule_name(rule));
    return kit_text(r, key);
}

START_TEST(an_accepted_verdict_lists_every_rule)
{
    cJSON *doc;
    const cJSON *c;

    kit_judge(&k);
    doc = trust_verdict_json(&k.verdict, &k.candidate, &k.evidence, &k.policy);
    ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(doc, "accepted")));
    ck_assert(cJSON_IsNull(cJSON_GetObjectItem(doc, "reason")));
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "rules")),
                     TRUST_RULE_COUNT);
    ck_assert_str_eq(rule_text(doc, TRUST_RULE_WORK, "wanted"), "at least 297015");
    ck_assert_str_eq(rule_text(doc, TRUST_RULE_WORK, "result"), "pass");
    ck_assert_ptr_null(rule_text(doc, TRUST_RULE_WORK, "reason"));
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "not_evaluated")), 0);
    c = cJSON_GetObjectItem(doc, "candidate");
    ck_assert_double_eq(cJSON_GetObjectItem(c, "height")->valuedouble, 200);
    ck_assert_str_eq(kit_text(c, "block_hash"), kit_text(k.doc, "block_hash"));
    ck_assert_str_eq(kit_text(c, "state_hash"), kit_text(k.doc, "state_hash"));
    ck_assert_str_eq(kit_text(c, "work"), "297015");
    ck_assert_str_eq(kit_text(c, "source"), "https://cp.example/cp.json");
    cJSON_Delete(doc);
}
END_TEST

START_TEST(a_refusal_names_reason_and_votes)
{
    cJSON *doc;
    const cJSON *v;

    k.evidence.votes[0].block_hash[0] ^= 1;
    kit_judge(&k);
    doc = trust_verdict_json(&k.verdict, &k.candidate, &k.evidence, &k.policy);
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(doc, "accepted")));
    ck_assert_str_eq(kit_text(doc, "reason"), "no_quorum");
    ck_assert_str_eq(rule_text(doc, TRUST_RULE_QUORUM, "reason"), "no_quorum");
    ck_assert_str_eq(rule_text(doc, TRUST_RULE_QUORUM, "saw"), "2 peers");
    v = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "votes"), 0);
    ck_assert_str_eq(kit_text(v, "peer"), "http://a");
    ck_assert_str_eq(kit_text(v, "group"), "10.0.0.0/16");
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(v, "agrees")));
    v = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "votes"), 1);
    ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(v, "agrees")));
    ck_assert_str_eq(kit_text(v, "block_hash"), kit_text(k.doc, "block_hash"));
    cJSON_Delete(doc);
}
END_TEST

START_TEST(texts_of_sources_are_bounded_and_plain)
{
    static const char nasty[] = "http://\xff\xfe\"\\\n\x01\x7f";
    cJSON *doc, *again;
    char *text, *url = xcalloc(1, 100001);

    memset(url, 'x', 100000);
    for (size_t i = 0; nasty[i]; i++)
        url[i] = nasty[i];
    k.candidate.source = url;
    k.candidate.malformed = url;
    k.candidate.network = url;
    k.evidence.votes[0].peer = url;
    k.evidence.votes[0].group = NULL;
    kit_judge(&k);
    doc = trust_verdict_json(&k.verdict, &k.candidate, &k.evidence, &k.policy);
    text = cJSON_PrintUnformatted(doc);
    ck_assert_uint_lt(strlen(text), 10000);
    for (const char *p = text; *p; p++)
        ck_assert(*p >= 0x20 && *p <= 0x7e);
    again = cJSON_Parse(text);
    ck_assert(cJSON_Compare(doc, again, true));
    cJSON_Delete(doc);
    cJSON_Delete(again);
    cJSON_free(text);
    free(url);
}
END_TEST

START_TEST(a_candidate_without_anything_is_still_a_document)
{
    struct trust_candidate nothing = {0};
    struct trust_evidence none = {0};
    cJSON *doc;

    trust_evaluate(&nothing, &none, &k.policy, &k.params, &k.verdict);
    ck_assert_int_eq(k.verdict.reason, REASON_METADATA_MALFORMED);
    doc = trust_verdict_json(&k.verdict, &nothing, &none, &k.policy);
    ck_assert_ptr_null(
        cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "candidate"), "height"));
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "votes")), 0);
    cJSON_Delete(doc);
}
END_TEST

START_TEST(the_policy_is_shown_in_the_words_of_the_configuration)
{
    cJSON *doc;
    char *text;

    k.policy.root_count = 1;
    k.policy.roots[0].height = 7;
    memset(k.policy.roots[0].hash, 0xab, 32);
    k.policy.min_peers = 2;
    doc = trust_policy_json(&k.policy);
    text = cJSON_PrintUnformatted(doc);
    ck_assert_str_eq(
        text,
        "{\"quorum\":3,\"min_peers\":2,\"threshold\":1,\"trusted_pubkeys\":["
        "\"027959deb8428b63e9086f9ec63e0b5e6cf1432f826fb59681996c5b3eefc65a17\"],"
        "\"min_confirmations\":6,\"min_attestations\":0,\"trusted_attesters\":[],"
        "\"header_proof\":\"full\",\"compare_coins\":\"auto\","
        "\"min_work\":\"297015\",\"min_delta\":100,\"max_age_seconds\":3600,"
        "\"roots\":[{\"height\":7,\"hash\":"
        "\"abababababababababababababababababababababababababababababababab\"}]}");
    cJSON_free(text);
    cJSON_Delete(doc);
    k.policy.header_proof_full = false;
    k.policy.header_window = 1000;
    k.policy.compare_coins_always = true;
    doc = trust_policy_json(&k.policy);
    ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(doc, "compare_coins")),
                     "always");
    ck_assert_double_eq(
        cJSON_GetObjectItem(cJSON_GetObjectItem(doc, "header_proof"), "window")
            ->valuedouble,
        1000);
    cJSON_Delete(doc);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("trust_json");
    TCase *tc = tcase_create("json");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_accepted_verdict_lists_every_rule);
    tcase_add_test(tc, a_refusal_names_reason_and_votes);
    tcase_add_test(tc, texts_of_sources_are_bounded_and_plain);
    tcase_add_test(tc, a_candidate_without_anything_is_still_a_document);
    tcase_add_test(tc, the_policy_is_shown_in_the_words_of_the_configuration);
    suite_add_tcase(s, tc);
    return s;
}
