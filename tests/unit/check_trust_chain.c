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

static struct work work(const char *text)
{
    struct work w;

    ck_assert(work_parse(text, &w));
    return w;
}

START_TEST(claimed_and_proven_work_must_both_suffice)
{
    EXPECT(&k, WORK, PASS); /* 297015, exactly min_work */
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_WORK].saw, "proven 297015");
    k.policy.min_work = work("297016");
    EXPECT_FAIL(&k, WORK, LOW_WORK);
    k.candidate.work = work("999999999"); /* the claim is enough, the headers are not */
    EXPECT_FAIL(&k, WORK, LOW_WORK);
    k.policy.min_work = work("0");
    k.evidence.latest_work = work("297016");
    EXPECT_FAIL(&k, WORK, LOW_WORK);
    k.evidence.has_latest = false;
    EXPECT(&k, WORK, PASS);
    k.policy.min_work = work("2");
    k.candidate.work = work("1");
    EXPECT_FAIL(&k, WORK, LOW_WORK);
}
END_TEST

START_TEST(a_claim_alone_is_judged_before_headers_come)
{
    k.evidence.headers = TRUST_NOT_YET;
    EXPECT(&k, WORK, PASS);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_WORK].saw, "claimed 297015");
    k.candidate.work = work("297014");
    EXPECT_FAIL(&k, WORK, LOW_WORK);
}
END_TEST

START_TEST(no_claim_is_allowed_when_headers_prove_work)
{
    k.candidate.has_work = false;
    EXPECT(&k, WORK, PASS);
    EXPECT(&k, HEADERS, PASS);
    ck_assert(k.verdict.accepted);
    k.evidence.headers = TRUST_NOT_YET;
    EXPECT(&k, WORK, SKIPPED);
    ck_assert(k.verdict.rules[TRUST_RULE_WORK].pending);
    k.evidence.headers = TRUST_HOLDS;
    k.evidence.headers_full = false;
    EXPECT_FAIL(&k, WORK, LOW_WORK);
    k.policy.min_work = work("0");
    k.evidence.has_latest = false;
    EXPECT(&k, WORK, PASS);
}
END_TEST

START_TEST(a_claim_one_off_the_proven_sum_is_a_mismatch)
{
    k.policy.min_work = work("1");
    k.candidate.work = work("297016");
    EXPECT_FAIL(&k, HEADERS, WORK_MISMATCH);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_HEADERS].detail,
                     "claimed 297016, proven 297015");
    k.candidate.work = work("297014");
    EXPECT_FAIL(&k, HEADERS, WORK_MISMATCH);
}
END_TEST

START_TEST(headers_that_fail_or_cannot_be_had_refuse)
{
    k.evidence.headers = TRUST_FAILS;
    k.evidence.headers_detail = "header 77: block_low_pow\n\x1b[31m\xff";
    EXPECT_FAIL(&k, HEADERS, HEADER_CHAIN_INVALID);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_HEADERS].detail,
                     "header 77: block_low_pow??[31m?");
    k.evidence.headers = TRUST_CANNOT;
    k.evidence.headers_detail = NULL;
    EXPECT_FAIL(&k, HEADERS, HEADER_CHAIN_INVALID);
    k.evidence.headers = TRUST_NOT_YET;
    EXPECT(&k, HEADERS, SKIPPED);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_HEADERS].detail, "no evidence yet");
}
END_TEST

START_TEST(a_window_proof_needs_a_policy_that_allows_it)
{
    k.evidence.headers_full = false;
    k.evidence.headers_from = 50;
    EXPECT_FAIL(&k, HEADERS, HEADER_CHAIN_INVALID);
    k.policy.header_proof_full = false;
    k.policy.header_window = 145;
    EXPECT(&k, HEADERS, PASS);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_HEADERS].detail,
                     "work is claimed, not proven");
    k.evidence.headers_from = 201;
    EXPECT_FAIL(&k, HEADERS, HEADER_CHAIN_INVALID);
}
END_TEST

START_TEST(best_chain_says_what_was_found)
{
    EXPECT(&k, BEST_CHAIN, PASS);
    k.evidence.best_chain = TRUST_FAILS;
    k.evidence.best_chain_detail = "a heavier chain forks at 180";
    EXPECT_FAIL(&k, BEST_CHAIN, NOT_ON_BEST_CHAIN);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_BEST_CHAIN].detail,
                     "a heavier chain forks at 180");
    k.evidence.best_chain = TRUST_NOT_YET;
    EXPECT(&k, BEST_CHAIN, SKIPPED);
    ck_assert(!k.verdict.accepted && !k.verdict.refused);
}
END_TEST

START_TEST(confirmations_are_counted)
{
    EXPECT(&k, CONFIRMATIONS, PASS);
    k.evidence.confirmations = 5;
    EXPECT_FAIL(&k, CONFIRMATIONS, INSUFFICIENT_CONFIRMATIONS);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_CONFIRMATIONS].saw, "5 blocks");
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_CONFIRMATIONS].wanted, "6 blocks");
    k.evidence.confirmations_collected = TRUST_CANNOT;
    EXPECT_FAIL(&k, CONFIRMATIONS, INSUFFICIENT_CONFIRMATIONS);
    k.evidence.confirmations_collected = TRUST_NOT_YET;
    EXPECT(&k, CONFIRMATIONS, SKIPPED);
    k.policy.min_confirmations = 0;
    EXPECT(&k, CONFIRMATIONS, NOT_APPLICABLE);
}
END_TEST

START_TEST(some_peer_must_serve_the_next_block)
{
    EXPECT(&k, SERVABLE, PASS);
    k.evidence.next_block_peers = 0;
    EXPECT_FAIL(&k, SERVABLE, NO_PEER_SERVES_NEXT_BLOCK);
    k.evidence.at_network_tip = true;
    EXPECT(&k, SERVABLE, PASS);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_SERVABLE].detail,
                     "the checkpoint is the network's tip");
    k.evidence.next_block = TRUST_NOT_YET;
    EXPECT(&k, SERVABLE, SKIPPED);
}
END_TEST

/* docs/adr/0030 */
START_TEST(who_wants_nothing_of_peers_and_has_none_needs_none_to_serve)
{
    k.evidence.next_block = TRUST_FAILS;
    k.evidence.next_block_peers = 0;
    k.policy.quorum = k.policy.min_confirmations = 0;
    EXPECT_FAIL(&k, SERVABLE, NO_PEER_SERVES_NEXT_BLOCK);
    k.evidence.no_peers = true;
    EXPECT(&k, SERVABLE, NOT_APPLICABLE);
    k.policy.quorum = 1;
    EXPECT_FAIL(&k, SERVABLE, NO_PEER_SERVES_NEXT_BLOCK);
    k.policy.quorum = 0;
    k.policy.min_confirmations = 1;
    EXPECT_FAIL(&k, SERVABLE, NO_PEER_SERVES_NEXT_BLOCK);
}
END_TEST

START_TEST(payload_and_source_report_their_own_reasons)
{
    k.evidence.payload = TRUST_FAILS;
    k.evidence.payload_reason = REASON_STATE_BOUNDS;
    k.evidence.payload_detail = "coin twice";
    EXPECT_FAIL(&k, PAYLOAD, STATE_BOUNDS);
    k.evidence.payload_reason = REASON_NONE;
    EXPECT_FAIL(&k, PAYLOAD, PAYLOAD_MALFORMED);
    k.evidence.payload = TRUST_NOT_YET;
    EXPECT(&k, PAYLOAD, SKIPPED);
    k.evidence.source = TRUST_CANNOT;
    k.evidence.source_reason = REASON_SOURCE_TOO_SLOW;
    EXPECT_FAIL(&k, SOURCE, SOURCE_TOO_SLOW);
    k.evidence.source_reason = REASON_NONE;
    EXPECT_FAIL(&k, SOURCE, SOURCE_UNREACHABLE);
}
END_TEST

START_TEST(the_first_failing_rule_decides_and_all_are_shown)
{
    k.candidate.network = "mainnet";
    k.evidence.confirmations = 0;
    k.evidence.payload = TRUST_FAILS;
    kit_judge(&k);
    ck_assert_int_eq(k.verdict.reason, REASON_NETWORK_MISMATCH);
    ck_assert_int_eq(k.verdict.decider, TRUST_RULE_NETWORK);
    ck_assert_int_eq(k.verdict.rules[TRUST_RULE_CONFIRMATIONS].result, TRUST_FAIL);
    ck_assert_int_eq(k.verdict.rules[TRUST_RULE_PAYLOAD].result, TRUST_FAIL);
    k.candidate.network = NULL;
    kit_judge(&k);
    ck_assert_int_eq(k.verdict.decider, TRUST_RULE_CONFIRMATIONS);
}
END_TEST

static void spoil_votes(struct kit *x)
{
    x->evidence.vote_count = 0;
}
static void lose_votes(struct kit *x)
{
    x->evidence.votes_collected = TRUST_CANNOT;
}
static void break_headers(struct kit *x)
{
    x->evidence.headers = TRUST_FAILS;
}
static void shorten_headers(struct kit *x)
{
    x->evidence.headers_full = false;
}
static void lower_work(struct kit *x)
{
    x->evidence.work = work("1");
}
static void leave_best_chain(struct kit *x)
{
    x->evidence.best_chain = TRUST_FAILS;
}
static void lose_confirmations(struct kit *x)
{
    x->evidence.confirmations = 0;
}
static void lose_next_block(struct kit *x)
{
    x->evidence.next_block_peers = 0;
}
static void break_payload(struct kit *x)
{
    x->evidence.payload = TRUST_FAILS;
}
static void break_source(struct kit *x)
{
    x->evidence.source = TRUST_CANNOT;
}
static void raise_tip(struct kit *x)
{
    x->evidence.tip_height = 199;
}
static void raise_latest(struct kit *x)
{
    x->evidence.latest_height = 999;
}
static void age_block(struct kit *x)
{
    x->evidence.now_ms += 1000000000;
}
static void drop_signature(struct kit *x)
{
    x->candidate.signature_count = 0;
}
static void change_network(struct kit *x)
{
    x->candidate.network = "other";
}

static void (*const spoilers[])(struct kit *) = {
    spoil_votes,   lose_votes,       break_headers,      shorten_headers,
    lower_work,    leave_best_chain, lose_confirmations, lose_next_block,
    break_payload, break_source,     raise_tip,          raise_latest,
    age_block,     drop_signature,   change_network,
};
enum { SPOILERS = sizeof(spoilers) / sizeof(spoilers[0]) };

/* Every subset: refused exactly when something is spoiled, and never less so. */
START_TEST(no_worse_evidence_ever_helps)
{
    struct kit fresh = k;
    struct trust_verdict again;

    for (unsigned set = 0; set < 1U << SPOILERS; set += (set < 64 ? 1 : 13)) {
        k = fresh;
        for (size_t i = 0; i < SPOILERS; i++)
            if (set >> i & 1)
                spoilers[i](&k);
        kit_judge(&k);
        again = k.verdict;
        kit_judge(&k);
        ck_assert_mem_eq(&again, &k.verdict, sizeof(again));
        ck_assert_msg(k.verdict.refused == (set != 0), "set %x", set);
        ck_assert_msg(k.verdict.accepted == (set == 0), "set %x", set);
    }
    k = fresh;
}
END_TEST

/* Whatever is still missing, nothing is accepted, and a failure stays a failure. */
START_TEST(missing_evidence_never_accepts)
{
    enum trust_found *const found[] = {
        &k.evidence.votes_collected, &k.evidence.headers,
        &k.evidence.best_chain,      &k.evidence.confirmations_collected,
        &k.evidence.next_block,      &k.evidence.payload,
        &k.evidence.source,
    };

    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        *found[i] = TRUST_NOT_YET;
        kit_judge(&k);
        ck_assert_msg(!k.verdict.accepted && !k.verdict.refused, "evidence %zu", i);
        k.candidate.network = "other";
        kit_judge(&k);
        ck_assert_msg(k.verdict.refused, "evidence %zu", i);
        k.candidate.network = "testnet";
        *found[i] = TRUST_HOLDS;
    }
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("trust_chain");
    TCase *tc = tcase_create("chain");

    tcase_set_timeout(tc, 60); /* thousands of verdicts, on machines that are shared */
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, claimed_and_proven_work_must_both_suffice);
    tcase_add_test(tc, a_claim_alone_is_judged_before_headers_come);
    tcase_add_test(tc, no_claim_is_allowed_when_headers_prove_work);
    tcase_add_test(tc, a_claim_one_off_the_proven_sum_is_a_mismatch);
    tcase_add_test(tc, headers_that_fail_or_cannot_be_had_refuse);
    tcase_add_test(tc, a_window_proof_needs_a_policy_that_allows_it);
    tcase_add_test(tc, best_chain_says_what_was_found);
    tcase_add_test(tc, confirmations_are_counted);
    tcase_add_test(tc, some_peer_must_serve_the_next_block);
    tcase_add_test(tc, who_wants_nothing_of_peers_and_has_none_needs_none_to_serve);
    tcase_add_test(tc, payload_and_source_report_their_own_reasons);
    tcase_add_test(tc, the_first_failing_rule_decides_and_all_are_shown);
    tcase_add_test(tc, no_worse_evidence_ever_helps);
    tcase_add_test(tc, missing_evidence_never_accepts);
    suite_add_tcase(s, tc);
    return s;
}
