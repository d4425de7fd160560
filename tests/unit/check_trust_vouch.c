#include "tests/unit/trust_vectors.h"

/* Cairn's own signatures, revocations and attestations (scenarios 8, 9, 14). */
static struct kit k;
static struct vectors v;

static void setup(void)
{
    kit_init(&k);
    vectors_init(&v);
    k.policy.key_count = 0;
    for (int i = 0; i < 4; i++)
        k.policy.keys[k.policy.key_count++] = vectors_key(&v, "signers", i);
}

static void teardown(void)
{
    kit_fini(&k);
    vectors_fini(&v);
}

/* --- signatures over Cairn's digest --- */

static const cJSON *checkpoint(int i)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(v.doc, "checkpoints"), i);
}

static void sign_as(size_t at, const cJSON *sig)
{
    struct trust_key key;
    enum trust_key_alg alg;
    static char texts[TRUST_SIGNATURES_MAX][TRUST_KEY_TEXT];

    ck_assert(trust_key_alg_parse(kit_text(sig, "alg"), &alg));
    ck_assert(trust_key_parse_hex(alg, kit_text(sig, "key"), &key));
    trust_key_text(&key, texts[at]);
    k.candidate.signatures[at].pubkey = texts[at];
    k.candidate.signatures[at].signature = kit_text(sig, "signature");
    k.candidate.signatures[at].alg = alg;
    k.candidate.signatures[at].over = TRUST_OVER_CAIRN;
    if (k.candidate.signature_count <= at)
        k.candidate.signature_count = at + 1;
}

/* The candidate as vector i has it, signed by all four. */
static void claim(int i)
{
    const cJSON *c = checkpoint(i), *sig;
    const char *hash = kit_text(c, "state_hash"), *root = kit_text(c, "state_root");
    size_t n = 0;

    k.candidate.has_state_hash = hash != NULL;
    (void)snprintf(k.candidate.state_hash, sizeof(k.candidate.state_hash), "%s",
                   hash ? hash : "");
    k.candidate.has_state_root = root != NULL;
    if (root)
        ck_assert(hex_hash(root, k.candidate.state_root));
    k.candidate.signature_count = 0;
    cJSON_ArrayForEach (sig, cJSON_GetObjectItem(c, "signatures"))
        sign_as(n++, sig);
}

START_TEST(the_digest_is_the_documented_one)
{
    for (int i = 0; i < 3; i++) {
        uint8_t digest[32];
        char hex[65];

        claim(i);
        trust_digest_cairn(&k.params, &k.candidate, digest);
        hex_encode(digest, 32, hex);
        ck_assert_str_eq(hex, kit_text(checkpoint(i), "digest"));
    }
}
END_TEST

START_TEST(both_kinds_of_keys_sign_it)
{
    k.policy.threshold = 4;
    for (int i = 0; i < 3; i++) {
        claim(i);
        EXPECT(&k, SIGNATURES, PASS);
        ck_assert_uint_eq(k.verdict.signer_count, 4);
        ck_assert(trust_key_equal(&k.verdict.signers[3], &k.policy.keys[3]));
    }
}
END_TEST

START_TEST(scenario_8_threshold_minus_one_and_one_signer_twice)
{
    claim(0);
    k.policy.threshold = 4;
    k.candidate.signature_count = 3;
    EXPECT_FAIL(&k, SIGNATURES, THRESHOLD_NOT_MET);
    k.candidate.signatures[3] = k.candidate.signatures[0];
    k.candidate.signature_count = 4;
    EXPECT_FAIL(&k, SIGNATURES, THRESHOLD_NOT_MET);
    k.candidate.signatures[3] = (__typeof__(k.candidate.signatures[3])){
        .pubkey = k.candidate.signatures[0].pubkey,
        .signature = kit_text(k.doc, "signature")}; /* the same over XAI's digest */
    EXPECT_FAIL(&k, SIGNATURES, THRESHOLD_NOT_MET);
    ck_assert_uint_eq(k.verdict.signer_count, 3);
    k.policy.threshold = 3;
    EXPECT(&k, SIGNATURES, PASS);
}
END_TEST

START_TEST(the_two_digests_are_not_taken_for_one_another)
{
    claim(0);
    k.candidate.signature_count = 1;
    EXPECT(&k, SIGNATURES, PASS);
    k.candidate.signatures[0].over = TRUST_OVER_XAI;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate.signatures[0].signature = kit_text(k.doc, "signature");
    EXPECT(&k, SIGNATURES, PASS);
    k.candidate.signatures[0].over = TRUST_OVER_CAIRN;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
}
END_TEST

START_TEST(an_ed25519_key_signs_no_xai_digest)
{
    claim(0);
    sign_as(0, cJSON_GetArrayItem(cJSON_GetObjectItem(checkpoint(0), "signatures"), 3));
    k.candidate.signature_count = 1;
    EXPECT(&k, SIGNATURES, PASS);
    k.candidate.signatures[0].over = TRUST_OVER_XAI;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate.signatures[0].over = TRUST_OVER_CAIRN;
    k.candidate.signatures[0].alg = TRUST_SECP256K1;
    EXPECT_FAIL(&k, SIGNATURES, UNTRUSTED_SIGNER);
}
END_TEST

START_TEST(scenario_9_over_another_height_hash_state_or_network)
{
    struct trust_candidate good;

    claim(0);
    good = k.candidate;
    k.candidate.height++;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate = good;
    k.candidate.block_hash[0] ^= 1;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate = good;
    k.candidate.state_root[0] ^= 1;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate = good;
    k.candidate.has_state_root = false; /* less than was signed */
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate = good;
    k.params.genesis_hash[0] ^= 1;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.params.genesis_hash[0] ^= 1;
    EXPECT(&k, SIGNATURES, PASS);
    k.candidate.signature_count = 1;
    k.candidate.signatures[0].signature = kit_text(v.doc, "over_mainnet");
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
}
END_TEST

START_TEST(scenario_9_a_high_s_is_refused_over_cairns_digest)
{
    claim(0);
    k.candidate.signature_count = 1;
    k.candidate.signatures[0].signature = kit_text(checkpoint(0), "high_s");
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
}
END_TEST

START_TEST(a_claimed_state_root_is_the_one_of_the_coins)
{
    claim(2);
    EXPECT(&k, PAYLOAD, PASS);
    k.evidence.has_state_root = true;
    memcpy(k.evidence.state_root, k.candidate.state_root, 32);
    EXPECT(&k, PAYLOAD, PASS);
    k.evidence.state_root[31] ^= 1;
    EXPECT_FAIL(&k, PAYLOAD, PAYLOAD_HASH_MISMATCH);
}
END_TEST

/* --- revocations --- */

static void hear(const char *name)
{
    k.evidence.statements[k.evidence.statement_count++] = vectors_parse(&v, name);
}

START_TEST(scenario_14_one_trusted_signer_withdraws)
{
    k.policy.threshold = 1;
    EXPECT(&k, REVOCATION, PASS);
    hear("revocation");
    EXPECT_FAIL(&k, REVOCATION, REVOKED);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_REVOCATION].detail,
                     "wrong coins: ??\"");
    k.policy.key_count = 0;
    EXPECT(&k, REVOCATION, PASS);
    k.policy.keys[k.policy.key_count++] = vectors_key(&v, "signers", 3);
    hear("revocation_ed25519");
    EXPECT_FAIL(&k, REVOCATION, REVOKED);
}
END_TEST

START_TEST(scenario_14_the_operator_withdraws)
{
    k.evidence.revoked_by_operator = "I know better";
    EXPECT_FAIL(&k, REVOCATION, REVOKED);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_REVOCATION].saw,
                     "withdrawn by the operator");
}
END_TEST

START_TEST(what_strangers_or_other_networks_withdraw_counts_for_nothing)
{
    hear("revocation_stranger");
    hear("revocation_mainnet");
    hear("revocation_neighbour");
    hear("attestation_0");
    EXPECT(&k, REVOCATION, PASS);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_REVOCATION].detail,
                     "1 revocations of keys that are not trusted");
}
END_TEST

/* --- attestations --- */

static void attest(unsigned wanted, int trusted)
{
    k.policy.min_attestations = wanted;
    for (int i = 0; i < trusted; i++)
        k.policy.attesters[k.policy.attester_count++] = vectors_key(&v, "nodes", i);
    k.evidence.attestations = TRUST_HOLDS;
    k.evidence.has_state_root = true;
    memset(k.evidence.state_root, 0x5a, 32);
}

START_TEST(nobody_is_asked_for_attestations_by_default)
{
    hear("attestation_0");
    EXPECT(&k, ATTESTATIONS, NOT_APPLICABLE);
}
END_TEST

START_TEST(only_trusted_attesters_count_and_each_once)
{
    attest(2, 2);
    hear("attestation_0");
    hear("attestation_0");
    hear("attestation_2");
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATIONS_MISSING);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_ATTESTATIONS].saw, "1 attestations");
    hear("attestation_mainnet");
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATIONS_MISSING);
    hear("attestation_1");
    EXPECT(&k, ATTESTATIONS, PASS);
    k.policy.min_attestations = 3;
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATIONS_MISSING);
}
END_TEST

START_TEST(a_trusted_node_for_another_root_is_a_conflict)
{
    attest(1, 2);
    hear("attestation_0");
    hear("attestation_2_other"); /* shown, counts for nothing */
    EXPECT(&k, ATTESTATIONS, PASS);
    hear("attestation_1_other");
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATION_CONFLICT);
    k.policy.min_attestations = 0;
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATION_CONFLICT);
}
END_TEST

START_TEST(attestations_wait_for_the_state_root)
{
    attest(2, 2);
    k.evidence.has_state_root = false;
    hear("attestation_0");
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATIONS_MISSING); /* whatever the body says */
    hear("attestation_1");
    EXPECT(&k, ATTESTATIONS, SKIPPED);
    ck_assert(k.verdict.rules[TRUST_RULE_ATTESTATIONS].pending);
    k.candidate.has_state_root = true;
    memset(k.candidate.state_root, 0x5a, 32);
    EXPECT(&k, ATTESTATIONS, PASS);
    memset(k.candidate.state_root, 0x5b, 32);
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATION_CONFLICT);
    k.candidate.has_state_root = false;
    hear("attestation_1_other");
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATION_CONFLICT); /* no root can please both */
    k.evidence.attestations = TRUST_NOT_YET;
    EXPECT(&k, ATTESTATIONS, SKIPPED);
}
END_TEST

START_TEST(a_forged_attestation_is_nobodys)
{
    static struct trust_statement forged;

    attest(1, 1);
    forged = *vectors_parse(&v, "attestation_0");
    memset(forged.state_root, 0x5b, 32);
    k.evidence.statements[k.evidence.statement_count++] = &forged;
    EXPECT_FAIL(&k, ATTESTATIONS, ATTESTATIONS_MISSING);
}
END_TEST

START_TEST(the_verdict_shows_who_said_what)
{
    cJSON *doc;
    const cJSON *o;
    char key[TRUST_KEY_TEXT];

    claim(0);
    attest(1, 1);
    hear("attestation_0");
    hear("attestation_2_other");
    hear("revocation_stranger");
    kit_judge(&k);
    doc = trust_verdict_json(&k.verdict, &k.candidate, &k.evidence, &k.policy);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(doc, "signers")), 4);
    trust_key_text(&k.policy.attesters[0], key);
    o = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "attestations"), 0);
    ck_assert_str_eq(kit_text(o, "key"), key);
    ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(o, "trusted")));
    o = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "attestations"), 1);
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(o, "trusted")));
    ck_assert_ptr_nonnull(strstr(kit_text(o, "state_root"), "5b5b"));
    o = cJSON_GetArrayItem(cJSON_GetObjectItem(doc, "revocations"), 0);
    ck_assert_str_eq(kit_text(o, "reason"), "spite");
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(o, "trusted")));
    cJSON_Delete(doc);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("trust_vouch");
    TCase *tc = tcase_create("vouch");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_digest_is_the_documented_one);
    tcase_add_test(tc, both_kinds_of_keys_sign_it);
    tcase_add_test(tc, scenario_8_threshold_minus_one_and_one_signer_twice);
    tcase_add_test(tc, the_two_digests_are_not_taken_for_one_another);
    tcase_add_test(tc, an_ed25519_key_signs_no_xai_digest);
    tcase_add_test(tc, scenario_9_over_another_height_hash_state_or_network);
    tcase_add_test(tc, scenario_9_a_high_s_is_refused_over_cairns_digest);
    tcase_add_test(tc, a_claimed_state_root_is_the_one_of_the_coins);
    tcase_add_test(tc, scenario_14_one_trusted_signer_withdraws);
    tcase_add_test(tc, scenario_14_the_operator_withdraws);
    tcase_add_test(tc, what_strangers_or_other_networks_withdraw_counts_for_nothing);
    tcase_add_test(tc, nobody_is_asked_for_attestations_by_default);
    tcase_add_test(tc, only_trusted_attesters_count_and_each_once);
    tcase_add_test(tc, a_trusted_node_for_another_root_is_a_conflict);
    tcase_add_test(tc, attestations_wait_for_the_state_root);
    tcase_add_test(tc, a_forged_attestation_is_nobodys);
    tcase_add_test(tc, the_verdict_shows_who_said_what);
    suite_add_tcase(s, tc);
    return s;
}
