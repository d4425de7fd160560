#include <math.h>

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

START_TEST(accepts_a_checkpoint_that_meets_every_rule)
{
    kit_judge(&k);
    for (enum trust_rule i = 0; i < TRUST_RULE_COUNT; i++) {
        const struct trust_rule_result *r = &k.verdict.rules[i];

        ck_assert_msg(r->result != TRUST_FAIL, "%s: %s", trust_rule_name(i), r->detail);
        ck_assert_msg(!r->pending, "%s: %s", trust_rule_name(i), r->detail);
    }
    ck_assert(k.verdict.accepted);
    ck_assert(!k.verdict.refused);
    ck_assert_int_eq(k.verdict.reason, REASON_NONE);
}
END_TEST

START_TEST(network_must_be_ours_or_unnamed)
{
    EXPECT(&k, NETWORK, PASS);
    k.candidate.network = "mainnet";
    EXPECT_FAIL(&k, NETWORK, NETWORK_MISMATCH);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_NETWORK].saw, "mainnet");
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_NETWORK].wanted, "testnet");
    k.candidate.network = NULL;
    EXPECT(&k, NETWORK, PASS);
}
END_TEST

START_TEST(metadata_must_be_complete_and_in_range)
{
    struct trust_candidate good = k.candidate;

    EXPECT(&k, METADATA, PASS);
    k.candidate.malformed = "work: not a non-negative integer";
    EXPECT_FAIL(&k, METADATA, METADATA_MALFORMED);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_METADATA].detail,
                     k.candidate.malformed);
    ck_assert_int_eq(k.verdict.rules[TRUST_RULE_QUORUM].result, TRUST_PASS);
    k.candidate = good;
    k.candidate.has_state_hash = false;
    EXPECT_FAIL(&k, METADATA, METADATA_MALFORMED);
    k.candidate.has_state_root = true;
    EXPECT(&k, METADATA, PASS);
    k.candidate = good;
    k.candidate.state_hash[3] = 'A';
    EXPECT_FAIL(&k, METADATA, METADATA_MALFORMED);
    k.candidate = good;
    memset(k.candidate.state_hash, 'a', sizeof(k.candidate.state_hash));
    EXPECT_FAIL(&k, METADATA, METADATA_MALFORMED);
    k.candidate = good;
    k.candidate.height = (UINT64_C(1) << 53) - 1;
    EXPECT(&k, METADATA, PASS);
}
END_TEST

START_TEST(without_height_or_hash_later_rules_are_skipped)
{
    struct trust_candidate good = k.candidate;

    for (int i = 0; i < 4; i++) {
        k.candidate = good;
        if (i == 0)
            k.candidate.has_height = false;
        else if (i == 1)
            k.candidate.has_block_hash = false;
        else
            k.candidate.height = i == 2 ? 0 : UINT64_C(1) << 53;
        EXPECT_FAIL(&k, METADATA, METADATA_MALFORMED);
        ck_assert_int_eq(k.verdict.decider, TRUST_RULE_METADATA);
        ck_assert_int_eq(k.verdict.rules[TRUST_RULE_QUORUM].result, TRUST_SKIPPED);
        ck_assert_str_eq(k.verdict.rules[TRUST_RULE_SIGNATURES].detail,
                         "metadata malformed");
    }
}
END_TEST

START_TEST(delta_asks_for_a_gain_over_the_tip)
{
    EXPECT(&k, DELTA, PASS); /* 200 over 100, wanted 100 */
    k.evidence.tip_height = 101;
    EXPECT_FAIL(&k, DELTA, TOO_CLOSE_TO_TIP);
    k.evidence.tip_height = UINT64_MAX;
    EXPECT_FAIL(&k, DELTA, TOO_CLOSE_TO_TIP);
    k.policy.min_delta = UINT64_MAX;
    EXPECT_FAIL(&k, DELTA, TOO_CLOSE_TO_TIP);
    k.evidence.forced = true;
    EXPECT(&k, DELTA, NOT_APPLICABLE);
    k.evidence.forced = false;
    k.evidence.has_tip = false;
    EXPECT(&k, DELTA, NOT_APPLICABLE);
}
END_TEST

START_TEST(replay_allows_only_a_newer_or_the_same_checkpoint)
{
    struct trust_evidence *e = &k.evidence;

    EXPECT(&k, REPLAY, PASS);
    e->latest_height = 201;
    EXPECT_FAIL(&k, REPLAY, STALE_CHECKPOINT);
    e->forced = true;
    EXPECT_FAIL(&k, REPLAY, STALE_CHECKPOINT);
    e->latest_height = 200;
    EXPECT_FAIL(&k, REPLAY, STALE_CHECKPOINT);
    memcpy(e->latest_hash, k.candidate.block_hash, 32);
    EXPECT(&k, REPLAY, PASS);
    memcpy(e->latest_state_hash, k.candidate.state_hash, 65);
    EXPECT(&k, REPLAY, PASS);
    e->latest_state_hash[63] ^= 1;
    EXPECT_FAIL(&k, REPLAY, STALE_CHECKPOINT);
    k.candidate.has_state_hash = false;
    EXPECT(&k, REPLAY, PASS);
    /* One block, two states: claimed, or found in the body. */
    k.candidate.has_state_root = true;
    memset(k.candidate.state_root, 7, 32);
    EXPECT_FAIL(&k, REPLAY, STALE_CHECKPOINT);
    memset(e->latest_state_root, 7, 32);
    EXPECT(&k, REPLAY, PASS);
    k.candidate.has_state_root = false;
    e->has_state_root = true;
    memset(e->state_root, 8, 32);
    EXPECT_FAIL(&k, REPLAY, STALE_CHECKPOINT);
    memset(e->state_root, 7, 32);
    EXPECT(&k, REPLAY, PASS);
    e->has_latest = false;
    EXPECT(&k, REPLAY, NOT_APPLICABLE);
}
END_TEST

START_TEST(freshness_needs_the_time_of_a_proven_header)
{
    struct trust_evidence *e = &k.evidence;

    EXPECT(&k, FRESHNESS, PASS); /* 3600 s old, 3600 allowed */
    e->now_ms += 1;
    EXPECT_FAIL(&k, FRESHNESS, EXPIRED);
    e->now_ms = 1000000000 - 7200000;
    EXPECT(&k, FRESHNESS, PASS);
    e->now_ms -= 1;
    EXPECT_FAIL(&k, FRESHNESS, EXPIRED);
    ck_assert_ptr_nonnull(
        strstr(k.verdict.rules[TRUST_RULE_FRESHNESS].detail, "this machine's clock"));
    e->block_time = (double)NAN;
    EXPECT_FAIL(&k, FRESHNESS, EXPIRED);
    e->headers = TRUST_NOT_YET; /* a time of no proven header */
    EXPECT(&k, FRESHNESS, SKIPPED);
    e->headers = TRUST_HOLDS;
    e->has_block_time = false;
    EXPECT(&k, FRESHNESS, SKIPPED);
    ck_assert(!k.verdict.accepted && !k.verdict.refused);
    k.policy.max_age_seconds = 0;
    EXPECT(&k, FRESHNESS, NOT_APPLICABLE);
}
END_TEST

START_TEST(a_pinned_root_at_the_height_must_be_the_block)
{
    k.policy.root_count = 1;
    k.policy.roots[0].height = 200;
    memset(k.policy.roots[0].hash, 7, 32);
    EXPECT_FAIL(&k, TRUST_ROOT, CONFLICTS_TRUST_ROOT);
    memcpy(k.policy.roots[0].hash, k.candidate.block_hash, 32);
    EXPECT(&k, TRUST_ROOT, PASS);
}
END_TEST

START_TEST(pinned_roots_elsewhere_are_left_to_the_headers)
{
    k.policy.root_count = 2;
    k.policy.roots[0].height = 100;
    k.policy.roots[1].height = 300;
    EXPECT(&k, TRUST_ROOT, PASS);
    k.evidence.headers = TRUST_NOT_YET;
    EXPECT(&k, TRUST_ROOT, SKIPPED);
    ck_assert(k.verdict.rules[TRUST_RULE_TRUST_ROOT].pending);
    k.evidence.headers = TRUST_FAILS;
    EXPECT(&k, TRUST_ROOT, SKIPPED);
    ck_assert(k.verdict.refused);
    k.evidence.headers = TRUST_HOLDS;
    k.evidence.headers_full = false;
    k.evidence.headers_from = 150;
    EXPECT(&k, TRUST_ROOT, PASS);
    ck_assert_ptr_nonnull(strstr(k.verdict.rules[TRUST_RULE_TRUST_ROOT].detail,
                                 "below 150 are not settled"));
}
END_TEST

START_TEST(quorum_counts_distinct_voters_for_this_block)
{
    struct trust_evidence *e = &k.evidence;

    EXPECT(&k, QUORUM, PASS);
    e->votes[2].block_hash[31] ^= 1;
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_QUORUM].saw, "2 peers");
    kit_vote(&k, "http://d", "10.2.0.0/16", "a", 0); /* one node, another address */
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    kit_vote(&k, "http://b", "10.3.0.0/16", "e", 0); /* one address, another name */
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    kit_vote(&k, NULL, "10.3.0.0/16", "f", 0); /* nobody's */
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    kit_vote(&k, "http://g", NULL, NULL, 0); /* no identity: its address */
    EXPECT(&k, QUORUM, PASS);
    k.policy.quorum = 0;
    EXPECT(&k, QUORUM, NOT_APPLICABLE);
}
END_TEST

START_TEST(quorum_waits_for_votes_and_fails_without_peers)
{
    k.evidence.votes_collected = TRUST_NOT_YET;
    k.evidence.why_not_yet = "peers are being asked";
    EXPECT(&k, QUORUM, SKIPPED);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_QUORUM].detail,
                     "peers are being asked");
    EXPECT(&k, DIVERSITY, SKIPPED);
    EXPECT(&k, EQUIVOCATION, SKIPPED);
    ck_assert(!k.verdict.accepted && !k.verdict.refused);
    k.evidence.votes_collected = TRUST_CANNOT;
    EXPECT_FAIL(&k, QUORUM, NO_QUORUM);
    EXPECT_FAIL(&k, DIVERSITY, INSUFFICIENT_DIVERSITY);
}
END_TEST

START_TEST(diversity_counts_network_groups_of_counted_votes)
{
    struct trust_evidence *e = &k.evidence;

    EXPECT(&k, DIVERSITY, PASS);
    e->votes[2].group = "10.0.0.0/16";
    EXPECT_FAIL(&k, DIVERSITY, INSUFFICIENT_DIVERSITY);
    kit_vote(&k, "http://d", "10.9.0.0/16", "a", 0); /* the same node elsewhere */
    EXPECT_FAIL(&k, DIVERSITY, INSUFFICIENT_DIVERSITY);
    kit_vote(&k, "http://e", "10.9.0.0/16", "e", 9); /* for another block */
    EXPECT_FAIL(&k, DIVERSITY, INSUFFICIENT_DIVERSITY);
    kit_vote(&k, "http://f", NULL, "f", 0); /* in no known group */
    EXPECT_FAIL(&k, DIVERSITY, INSUFFICIENT_DIVERSITY);
    kit_vote(&k, "http://g", "10.9.0.0/16", "g", 0);
    EXPECT(&k, DIVERSITY, PASS);
    k.policy.min_peers = 0;
    EXPECT(&k, DIVERSITY, NOT_APPLICABLE);
}
END_TEST

START_TEST(two_camps_that_meet_the_quorum_are_an_equivocation)
{
    EXPECT(&k, EQUIVOCATION, PASS);
    kit_vote(&k, "http://x", "10.7.0.0/16", "x", 5);
    kit_vote(&k, "http://y", "10.7.0.0/16", "y", 5);
    kit_vote(&k, "http://z", "10.7.0.0/16", "z", 6);
    EXPECT(&k, EQUIVOCATION, PASS);
    kit_vote(&k, "http://v", "10.7.0.0/16", "v", 5);
    EXPECT(&k, EQUIVOCATION, PASS); /* a crowd of one network */
    kit_vote(&k, "http://w", "10.8.0.0/16", "w", 5);
    EXPECT_FAIL(&k, EQUIVOCATION, EQUIVOCATION);
    k.policy.quorum = 0;
    EXPECT(&k, EQUIVOCATION, NOT_APPLICABLE);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("trust_rules");
    TCase *tc = tcase_create("rules");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, accepts_a_checkpoint_that_meets_every_rule);
    tcase_add_test(tc, network_must_be_ours_or_unnamed);
    tcase_add_test(tc, metadata_must_be_complete_and_in_range);
    tcase_add_test(tc, without_height_or_hash_later_rules_are_skipped);
    tcase_add_test(tc, delta_asks_for_a_gain_over_the_tip);
    tcase_add_test(tc, replay_allows_only_a_newer_or_the_same_checkpoint);
    tcase_add_test(tc, freshness_needs_the_time_of_a_proven_header);
    tcase_add_test(tc, a_pinned_root_at_the_height_must_be_the_block);
    tcase_add_test(tc, pinned_roots_elsewhere_are_left_to_the_headers);
    tcase_add_test(tc, quorum_counts_distinct_voters_for_this_block);
    tcase_add_test(tc, quorum_waits_for_votes_and_fails_without_peers);
    tcase_add_test(tc, diversity_counts_network_groups_of_counted_votes);
    tcase_add_test(tc, two_camps_that_meet_the_quorum_are_an_equivocation);
    suite_add_tcase(s, tc);
    return s;
}
