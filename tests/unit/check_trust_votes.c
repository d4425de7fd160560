#include "tests/unit/trust_kit.h"

/* Quorum, equivocation and diversity against crowds (scenarios 2, 3, 4, 11). */
static struct kit k;
static char names[TRUST_VOTES_MAX][64], groups[TRUST_VOTES_MAX][32];

static void setup(void)
{
    kit_init(&k);
    k.evidence.vote_count = 0;
}

static void teardown(void)
{
    kit_fini(&k);
}

/* Who: distinct names; group: 10.<group>.0.0/16. */
static struct trust_vote *vote(unsigned who, unsigned group, uint32_t as, uint8_t fill)
{
    size_t i = k.evidence.vote_count;

    (void)snprintf(names[i], sizeof(names[i]), "http://10.%u.%u.%u:%u", group,
                   who / 250 % 250, who % 250, who);
    (void)snprintf(groups[i], sizeof(groups[i]), "10.%u.0.0/16", group);
    kit_vote(&k, names[i], groups[i], names[i], fill);
    k.evidence.votes[i].as_number = as;
    return &k.evidence.votes[i];
}

static const char *saw(enum trust_rule rule)
{
    return kit_rule(&k, rule)->saw;
}

START_TEST(scenario_2_two_camps_of_equal_size)
{
    for (unsigned i = 0; i < 6; i++)
        (void)vote(i, i, 0, i % 2 ? 9 : 0);
    EXPECT(&k, QUORUM, PASS);
    EXPECT_FAIL(&k, EQUIVOCATION, EQUIVOCATION);
    ck_assert_int_eq(k.verdict.decider, TRUST_RULE_EQUIVOCATION);
    ck_assert_ptr_nonnull(strstr(saw(TRUST_RULE_EQUIVOCATION), "3 peers for 0909"));
    k.policy.quorum = 4; /* neither camp has it */
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    EXPECT(&k, EQUIVOCATION, PASS);
}
END_TEST

START_TEST(scenario_3_a_majority_of_one_network_against_a_diverse_minority)
{
    for (unsigned i = 0; i < 50; i++)
        (void)vote(i, 7, 0, 0);
    for (unsigned i = 0; i < 3; i++)
        (void)vote(100 + i, 100 + i, 0, 9);
    ck_assert_str_eq(saw(TRUST_RULE_QUORUM), "50 peers");
    EXPECT_FAIL(&k, DIVERSITY, INSUFFICIENT_DIVERSITY);
    ck_assert_str_eq(saw(TRUST_RULE_DIVERSITY), "1 network groups");
    EXPECT_FAIL(&k, EQUIVOCATION, EQUIVOCATION); /* and the few are heard */
    k.evidence.vote_count = 0;
    for (unsigned i = 0; i < 50; i++) /* of many /16 in one AS */
        (void)vote(i, i, 64500, 0);
    ck_assert_str_eq(saw(TRUST_RULE_DIVERSITY), "1 network groups");
    EXPECT_FAIL(&k, DIVERSITY, INSUFFICIENT_DIVERSITY);
    (void)vote(60, 60, 64501, 0);
    EXPECT(&k, DIVERSITY, PASS);
}
END_TEST

START_TEST(scenario_4_one_identity_on_many_addresses)
{
    for (unsigned i = 0; i < 40; i++)
        vote(i, i, 0, 0)->identity = "one node";
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    ck_assert_str_eq(saw(TRUST_RULE_QUORUM), "1 peers");
    ck_assert_str_eq(saw(TRUST_RULE_DIVERSITY), "1 network groups");
}
END_TEST

START_TEST(scenario_4_many_identities_on_one_address)
{
    for (unsigned i = 0; i < 40; i++)
        vote(i, 3, 0, 0)->peer = "http://10.3.0.1:1";
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    ck_assert_str_eq(saw(TRUST_RULE_QUORUM), "1 peers");
    k.evidence.vote_count = 0;
    for (unsigned i = 0; i < 40; i++) /* ports of it */
        (void)vote(i, 3, 0, 0);
    EXPECT(&k, QUORUM, PASS);
    EXPECT_FAIL(&k, DIVERSITY, INSUFFICIENT_DIVERSITY);
}
END_TEST

START_TEST(scenario_11_two_quorums_at_one_height)
{
    for (unsigned i = 0; i < 5; i++)
        (void)vote(i, i, 0, 0);
    for (unsigned i = 0; i < 2; i++)
        (void)vote(10 + i, 10 + i, 0, 9);
    EXPECT(&k, EQUIVOCATION, PASS);
    for (unsigned i = 0; i < 2; i++)
        (void)vote(20 + i, 20 + i, 0, 8);
    EXPECT(&k, EQUIVOCATION, PASS);
    vote(22, 22, 0, 9)->identity = names[5]; /* once more the same voter */
    EXPECT(&k, EQUIVOCATION, PASS);
    (void)vote(23, 23, 0, 9);
    EXPECT_FAIL(&k, EQUIVOCATION, EQUIVOCATION);
    EXPECT(&k, QUORUM, PASS);
}
END_TEST

START_TEST(a_network_is_new_if_both_group_and_as_are)
{
    k.policy.min_peers = 3;
    (void)vote(0, 1, 100, 0);
    (void)vote(1, 1, 200, 0);
    (void)vote(2, 2, 100, 0);
    ck_assert_str_eq(saw(TRUST_RULE_DIVERSITY), "2 network groups");
    (void)vote(3, 2, 200, 0);
    ck_assert_str_eq(saw(TRUST_RULE_DIVERSITY), "2 network groups");
    (void)vote(4, 3, 200, 0);
    ck_assert_str_eq(saw(TRUST_RULE_DIVERSITY), "2 network groups");
    (void)vote(5, 3, 0, 0); /* of unknown AS: its group alone counts */
    ck_assert_str_eq(saw(TRUST_RULE_DIVERSITY), "3 network groups");
    EXPECT(&k, DIVERSITY, PASS);
}
END_TEST

/* Chains of groups and ASes where a greedy choice finds fewer than there are. */
START_TEST(the_order_of_votes_changes_nothing)
{
    static const unsigned pairs[][2] = {{1, 1}, {1, 2}, {2, 2}, {2, 3}, {3, 3},
                                        {3, 4}, {4, 4}, {4, 5}, {5, 1}};
    enum { N = sizeof(pairs) / sizeof(pairs[0]) };

    for (size_t turn = 0; turn < N; turn++) {
        for (size_t step = 1; step < N; step++) {
            if (step % 3 == 0)
                continue; /* no permutation of nine */
            k.evidence.vote_count = 0;
            for (size_t i = 0; i < N; i++) {
                size_t at = (turn + i * step) % N;

                (void)vote((unsigned)at, pairs[at][0], pairs[at][1], 0);
            }
            ck_assert_str_eq(saw(TRUST_RULE_DIVERSITY), "5 network groups");
            ck_assert_str_eq(saw(TRUST_RULE_QUORUM), "9 peers");
        }
    }
}
END_TEST

START_TEST(as_many_votes_as_there_may_be)
{
    for (unsigned i = 0; i < TRUST_VOTES_MAX; i++)
        (void)vote(i, i % 250, 1 + i % 300, i % 3 == 0 ? 0 : (uint8_t)(1 + i % 3));
    ck_assert_str_eq(saw(TRUST_RULE_QUORUM), "400 peers");
    k.evidence.vote_count = SIZE_MAX; /* never read past the end */
    ck_assert_str_eq(saw(TRUST_RULE_QUORUM), "400 peers");
    k.evidence.vote_count = 0;
    for (unsigned i = 0; i < TRUST_VOTES_MAX; i++) /* every one another block */
        memcpy(vote(i, i % 250, 0, 1)->block_hash, &i, sizeof(i));
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    EXPECT(&k, EQUIVOCATION, PASS);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("trust_votes");
    TCase *tc = tcase_create("votes");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, scenario_2_two_camps_of_equal_size);
    tcase_add_test(tc, scenario_3_a_majority_of_one_network_against_a_diverse_minority);
    tcase_add_test(tc, scenario_4_one_identity_on_many_addresses);
    tcase_add_test(tc, scenario_4_many_identities_on_one_address);
    tcase_add_test(tc, scenario_11_two_quorums_at_one_height);
    tcase_add_test(tc, a_network_is_new_if_both_group_and_as_are);
    tcase_add_test(tc, the_order_of_votes_changes_nothing);
    tcase_add_test(tc, as_many_votes_as_there_may_be);
    suite_add_tcase(s, tc);
    return s;
}
