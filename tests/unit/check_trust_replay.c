#include "sync/trust/trust_replay.h"
#include "tests/unit/trust_kit.h"

/* Past verdicts under other policies, and policies read back. */
static struct kit k;
static cJSON *doc;
static struct trust_replay r;

static void setup(void)
{
    kit_init(&k);
    kit_judge(&k);
    ck_assert(k.verdict.accepted);
    doc = trust_verdict_json(&k.verdict, &k.candidate, &k.evidence, &k.policy);
}

static void teardown(void)
{
    cJSON_Delete(doc);
    kit_fini(&k);
}

static void replay(void)
{
    ck_assert(trust_replay(doc, &k.policy, &k.params, &r));
}

#define EXPECT_REPLAY(result_, rule_)                                      \
    do {                                                                   \
        replay();                                                          \
        ck_assert_msg(r.would == TRUST_REPLAY_##result_, "%s: %s",         \
                      trust_rule_name(r.decider), r.rules[r.decider].why); \
        ck_assert_str_eq(trust_rule_name(r.decider),                       \
                         trust_rule_name(TRUST_RULE_##rule_));             \
    } while (0)

START_TEST(the_same_policy_changes_nothing)
{
    replay();
    ck_assert(r.was_accepted);
    ck_assert_int_eq(r.would, TRUST_REPLAY_PASS);
    for (size_t i = 0; i < TRUST_RULE_COUNT; i++)
        ck_assert_msg(!r.rules[i].changed, "%s", trust_rule_name((enum trust_rule)i));
}
END_TEST

START_TEST(figures_are_compared_with_the_new_ones)
{
    struct trust_policy was = k.policy;

    k.policy.quorum = 4;
    EXPECT_REPLAY(FAIL, QUORUM);
    ck_assert(r.rules[TRUST_RULE_QUORUM].changed);
    k.policy = was;
    k.policy.min_peers = 3;
    EXPECT_REPLAY(FAIL, DIVERSITY);
    k.policy = was;
    k.policy.min_confirmations = 7;
    EXPECT_REPLAY(FAIL, CONFIRMATIONS);
    k.policy = was;
    k.policy.min_delta = 101;
    EXPECT_REPLAY(FAIL, DELTA);
    k.policy = was;
    k.policy.max_age_seconds = 3599;
    EXPECT_REPLAY(FAIL, FRESHNESS);
    k.policy = was;
    ck_assert(work_parse("297016", &k.policy.min_work));
    EXPECT_REPLAY(FAIL, WORK);
    k.policy = was;
    k.policy.root_count = 1;
    k.policy.roots[0].height = 200;
    EXPECT_REPLAY(FAIL, TRUST_ROOT);
    k.policy = was;
    k.policy.min_attestations = 1;
    EXPECT_REPLAY(FAIL, ATTESTATIONS);
    k.policy = was;
    k.policy.key_count = 0;
    EXPECT_REPLAY(FAIL, SIGNATURES);
    k.policy.threshold = 0;
    replay();
    ck_assert_int_eq(r.would, TRUST_REPLAY_PASS);
}
END_TEST

START_TEST(what_was_not_kept_is_unknown)
{
    cJSON_DeleteItemFromObject(doc, "signers"); /* as older versions wrote it */
    EXPECT_REPLAY(UNKNOWN, SIGNATURES);
    k.policy.threshold = 2;
    EXPECT_REPLAY(FAIL, SIGNATURES); /* of one signature, whosever */
    k.policy.threshold = 0;
    cJSON_DeleteItemFromObject(doc, "votes");
    EXPECT_REPLAY(FAIL, QUORUM); /* it was evaluated: on no votes at all */
}
END_TEST

START_TEST(a_refusal_that_would_go_on_is_unknown)
{
    cJSON_Delete(doc);
    k.evidence.votes[2].block_hash[0] ^= 1;
    k.evidence.headers = k.evidence.payload = TRUST_NOT_YET;
    kit_judge(&k);
    ck_assert(k.verdict.refused);
    doc = trust_verdict_json(&k.verdict, &k.candidate, &k.evidence, &k.policy);
    EXPECT_REPLAY(FAIL, QUORUM);
    ck_assert(!r.was_accepted && !r.rules[TRUST_RULE_QUORUM].changed);
    k.policy.quorum = 2;
    k.policy.min_peers = 1;
    replay();
    ck_assert_int_eq(r.would, TRUST_REPLAY_UNKNOWN);
    ck_assert(r.rules[TRUST_RULE_QUORUM].changed);
    ck_assert_int_eq(r.rules[TRUST_RULE_HEADERS].result, TRUST_REPLAY_UNKNOWN);
}
END_TEST

START_TEST(what_is_no_verdict_is_refused)
{
    cJSON *rules = cJSON_GetObjectItem(doc, "rules");

    cJSON_DeleteItemFromArray(rules, 3);
    ck_assert(!trust_replay(doc, &k.policy, &k.params, &r));
    ck_assert(!trust_replay(NULL, &k.policy, &k.params, &r));
}
END_TEST

START_TEST(a_policy_is_read_as_it_is_written)
{
    struct trust_policy again = {0};
    cJSON *one, *two;

    k.policy.root_count = 1;
    k.policy.roots[0].height = 7;
    k.policy.compare_coins_always = true;
    one = trust_policy_json(&k.policy);
    ASSERT_OK(trust_policy_parse(one, &again, &test_err));
    two = trust_policy_json(&again);
    ck_assert(cJSON_Compare(one, two, true));
    ck_assert_uint_eq(again.quorum, 3);
    cJSON_Delete(one);
    cJSON_Delete(two);
}
END_TEST

START_TEST(a_policy_with_a_wrong_member_is_refused_and_changes_nothing)
{
    static const char *const bad[][2] = {
        {"{\"quorum\":1,\"min_peers\":-1}", "policy.min_peers"},
        {"{\"quorum\":1.5}", "policy.quorum"},
        {"{\"quorum\":\"3\"}", "policy.quorum"},
        {"{\"trusted_pubkeys\":[\"02\"]}", "policy.trusted_pubkeys"},
        {"{\"trusted_pubkeys\":7}", "policy.trusted_pubkeys"},
        {"{\"roots\":[{\"height\":1}]}", "policy.roots"},
        {"{\"header_proof\":\"half\"}", "policy.header_proof"},
        {"{\"compare_coins\":true}", "policy.compare_coins"},
        {"{\"min_work\":5}", "policy.min_work"},
        {"{\"qourum\":5}", "policy.qourum: unknown"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct trust_policy p = k.policy;
        cJSON *o = cJSON_Parse(bad[i][0]);

        ck_assert_ptr_nonnull(o);
        ASSERT_ERR(ERR_INVALID, trust_policy_parse(o, &p, &test_err));
        ck_assert_msg(strstr(test_err.msg, bad[i][1]) != NULL, "%s", test_err.msg);
        ck_assert_uint_eq(p.quorum, 3);
        cJSON_Delete(o);
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("trust_replay");
    TCase *tc = tcase_create("replay");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_same_policy_changes_nothing);
    tcase_add_test(tc, figures_are_compared_with_the_new_ones);
    tcase_add_test(tc, what_was_not_kept_is_unknown);
    tcase_add_test(tc, a_refusal_that_would_go_on_is_unknown);
    tcase_add_test(tc, what_is_no_verdict_is_refused);
    tcase_add_test(tc, a_policy_is_read_as_it_is_written);
    tcase_add_test(tc, a_policy_with_a_wrong_member_is_refused_and_changes_nothing);
    suite_add_tcase(s, tc);
    return s;
}
