#include "tests/unit/trust_kit.h"

/* Two more signers, and their signatures over the digest of payload_200. */
static const char second_key[] =
    "026703b8fd48df4d20ca35a1d4fc7a634d55c05bfe540202c3313cc603f9fca65a";
static const char second_sig[] =
    "4bd03778785037f8199204bf69bd5652b98761edf89323a17f1c73697769181941b8552ac3db5d10b666"
    "bdfe69d02571481384bf40f18293ce0298059b765ef0";
static const char third_key[] =
    "0278511ea7d613813497e5cb11e12986f815a22a90db13b64e7c8960361005091b";
static const char third_sig[] =
    "d092898287e12bd8f6f0eb8fe0be03b3baf6b1e3070087f2040e1ac5c7cd4827f70032b0f2eeb39077cf"
    "c83e69cdfb9f579982bb1f0612965d027bdd80e407ad";
static const char ed25519_key[] =
    "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"; /* RFC
                                                                                   8032
                                                                                 */

static struct kit k;

static void setup(void)
{
    kit_init(&k);
}

static void teardown(void)
{
    kit_fini(&k);
}

static void trust(const char *key)
{
    ck_assert(trust_key_parse(key, &k.policy.keys[k.policy.key_count]));
    k.policy.key_count++;
}

static void sign(const char *key, const char *sig)
{
    k.candidate.signatures[k.candidate.signature_count].pubkey = key;
    k.candidate.signatures[k.candidate.signature_count++].signature = sig;
}

START_TEST(keys_are_points_however_spelled)
{
    cJSON *vectors = kit_read("vectors.json");
    const char *raw = kit_text(vectors, "public_key_raw64");
    const char *compressed = kit_text(vectors, "public_key_compressed");
    struct trust_key a, b;
    char text[TRUST_KEY_TEXT], spelled[132], upper[67];

    ck_assert(trust_key_parse(raw, &a));
    ck_assert(trust_key_parse(compressed, &b));
    ck_assert(trust_key_equal(&a, &b));
    (void)snprintf(spelled, sizeof(spelled), "04%s", raw);
    ck_assert(trust_key_parse(spelled, &b));
    ck_assert(trust_key_equal(&a, &b));
    for (size_t i = 0; i < 67; i++)
        upper[i] = (char)(compressed[i] >= 'a' ? compressed[i] - 32 : compressed[i]);
    ck_assert(trust_key_parse(upper, &b));
    ck_assert(trust_key_equal(&a, &b));
    trust_key_text(&a, text);
    ck_assert_str_eq(text, compressed);
    ck_assert(trust_key_parse(second_key, &b));
    ck_assert(!trust_key_equal(&a, &b));
    ck_assert(trust_key_parse(ed25519_key, &b));
    ck_assert(!trust_key_equal(&a, &b));
    trust_key_text(&b, text);
    ck_assert_str_eq(text, ed25519_key);
    cJSON_Delete(vectors);
}
END_TEST

START_TEST(texts_that_are_no_keys_are_refused)
{
    static const char *const bad[] = {
        "",
        "02",
        "zz7959deb8428b63e9086f9ec63e0b5e6cf1432f826fb59681996c5b3eefc65a17",
        "057959deb8428b63e9086f9ec63e0b5e6cf1432f826fb59681996c5b3eefc65a17",
        "02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "027959deb8428b63e9086f9ec63e0b5e6cf1432f826fb59681996c5b3eefc65a1700",
        "027959deb8428b63e9086f9ec63e0b5e6cf1432f826fb59681996c5b3eefc65a17 ",
        "ed25519:",
        "ed25519:0000000000000000000000000000000000000000000000000000000000000000",
        "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751",
        "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a00",
    };
    struct trust_key key;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!trust_key_parse(bad[i], &key), "%s", bad[i]);
}
END_TEST

START_TEST(the_digest_is_the_one_signers_sign)
{
    cJSON *vectors = kit_read("vectors.json"), *v;
    int seen = 0;

    cJSON_ArrayForEach (v, cJSON_GetObjectItem(vectors, "checkpoints")) {
        uint8_t hash[32], digest[32];
        char hex[65];

        ck_assert(hex_hash(kit_text(v, "block_hash"), hash));
        trust_digest((uint64_t)cJSON_GetObjectItem(v, "height")->valuedouble, hash,
                     kit_text(v, "state_hash"), digest);
        hex_encode(digest, 32, hex);
        ck_assert_str_eq(hex, kit_text(v, "digest_hex"));
        seen++;
    }
    ck_assert_int_eq(seen, 4);
    cJSON_Delete(vectors);
}
END_TEST

START_TEST(every_good_payload_is_signed)
{
    static const char *const files[] = {"payload_50.json", "payload_100.json",
                                        "payload_150.json", "payload_200.json"};

    for (size_t i = 0; i < 4; i++) {
        kit_candidate(&k, files[i]);
        EXPECT(&k, SIGNATURES, PASS);
    }
}
END_TEST

/* Everything about the bad fixtures that shows without their body or a header chain. */
START_TEST(bad_fixtures_get_their_reason)
{
    static const struct {
        const char *file;
        enum reason reason;
    } cases[] = {
        {"bad_0.json", REASON_BAD_SIGNATURE},
        {"bad_3.json", REASON_BAD_SIGNATURE},
        {"bad_4.json", REASON_BAD_SIGNATURE},
        {"bad_5.json", REASON_NONE}, /* only headers show it */
        {"bad_6.json", REASON_LOW_WORK},
        {"bad_7.json", REASON_METADATA_MALFORMED},
        {"bad_8.json", REASON_METADATA_MALFORMED},
        {"bad_9.json", REASON_WORK_MISMATCH},
        {"bad_10.json", REASON_NONE},
        {"bad_11.json", REASON_UNSIGNED},
        {"bad_12.json", REASON_UNSIGNED},
        {"bad_13.json", REASON_BAD_SIGNATURE},
        {"bad_14.json", REASON_UNTRUSTED_SIGNER},
        {"bad_15.json", REASON_NONE}, /* complementary s */
        {"bad_16.json", REASON_BAD_SIGNATURE},
        {"bad_17.json", REASON_NONE},
        {"bad_23.json", REASON_NONE},
        {"bad_26.json", REASON_NONE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kit_candidate(&k, cases[i].file);
        k.evidence.tip_height = 1;
        for (size_t v = 0; v < k.evidence.vote_count; v++)
            memcpy(k.evidence.votes[v].block_hash, k.candidate.block_hash, 32);
        kit_judge(&k);
        ck_assert_msg(k.verdict.reason == cases[i].reason, "%s: %s", cases[i].file,
                      reason_code(k.verdict.reason));
        ck_assert_msg(k.verdict.accepted == (cases[i].reason == REASON_NONE), "%s",
                      cases[i].file);
    }
}
END_TEST

START_TEST(the_threshold_counts_distinct_trusted_keys)
{
    k.policy.threshold = 2;
    trust(second_key);
    EXPECT_FAIL(&k, SIGNATURES, THRESHOLD_NOT_MET);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_SIGNATURES].saw,
                     "1 trusted keys in 1 signatures");
    sign("027959deb8428b63e9086f9ec63e0b5e6cf1432f826fb59681996c5b3eefc65a17",
         k.candidate.signatures[0].signature); /* the first signer, spelled anew */
    EXPECT_FAIL(&k, SIGNATURES, THRESHOLD_NOT_MET);
    sign(third_key, third_sig); /* good, but not trusted */
    EXPECT_FAIL(&k, SIGNATURES, THRESHOLD_NOT_MET);
    sign(second_key, second_sig);
    EXPECT(&k, SIGNATURES, PASS);
    k.policy.threshold = 3;
    trust(third_key);
    EXPECT(&k, SIGNATURES, PASS);
}
END_TEST

START_TEST(one_key_configured_twice_is_one_key)
{
    k.policy.keys[k.policy.key_count++] = k.policy.keys[0];
    k.policy.threshold = 2;
    EXPECT_FAIL(&k, SIGNATURES, THRESHOLD_NOT_MET);
}
END_TEST

START_TEST(a_bad_signature_beside_enough_good_ones_is_shown)
{
    trust(second_key);
    sign(second_key, third_sig);
    EXPECT(&k, SIGNATURES, PASS);
    ck_assert_str_eq(k.verdict.rules[TRUST_RULE_SIGNATURES].detail,
                     "1 others under trusted keys are wrong");
    k.policy.threshold = 2;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
}
END_TEST

START_TEST(signers_that_are_not_trusted_do_not_count)
{
    k.policy.key_count = 0;
    EXPECT_FAIL(&k, SIGNATURES, UNTRUSTED_SIGNER);
    ck_assert_ptr_nonnull(strstr(k.verdict.rules[TRUST_RULE_SIGNATURES].detail,
                                 "trusted_pubkeys is empty"));
    trust(ed25519_key);
    EXPECT_FAIL(&k, SIGNATURES, UNTRUSTED_SIGNER);
    k.candidate.signatures[0].pubkey = ed25519_key;
    EXPECT_FAIL(&k, SIGNATURES, UNTRUSTED_SIGNER);
    k.candidate.signatures[0].pubkey = "not a key";
    EXPECT_FAIL(&k, SIGNATURES, UNTRUSTED_SIGNER);
    k.policy.threshold = 0;
    EXPECT(&k, SIGNATURES, NOT_APPLICABLE);
}
END_TEST

START_TEST(a_signature_is_for_one_height_hash_and_state)
{
    struct trust_candidate good = k.candidate;

    k.candidate.height++;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate = good;
    k.candidate.block_hash[0] ^= 1;
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate = good;
    k.candidate.state_hash[0] = k.candidate.state_hash[0] == 'a' ? 'b' : 'a';
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    k.candidate = good;
    k.candidate.has_state_hash = false;
    k.candidate.has_state_root = true;
    EXPECT_FAIL(&k, SIGNATURES, UNSIGNED);
}
END_TEST

START_TEST(only_128_hex_digits_are_a_signature)
{
    const char *sig = k.candidate.signatures[0].signature;
    char changed[140];

    for (size_t i = 0; i < 129; i++)
        changed[i] = (char)(sig[i] >= 'a' ? sig[i] - 32 : sig[i]);
    k.candidate.signatures[0].signature = changed;
    EXPECT(&k, SIGNATURES, PASS); /* upper case */
    (void)snprintf(changed, sizeof(changed), "%s00", sig);
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    (void)snprintf(changed, sizeof(changed), "%.126s", sig);
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    (void)snprintf(changed, sizeof(changed), "%.127sg", sig);
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    memset(changed, '0', 128);
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
    /* DER of the same r and s */
    (void)snprintf(changed, sizeof(changed), "30450220%.64s022100", sig);
    EXPECT_FAIL(&k, SIGNATURES, BAD_SIGNATURE);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("trust_signers");
    TCase *tc = tcase_create("signers");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, keys_are_points_however_spelled);
    tcase_add_test(tc, texts_that_are_no_keys_are_refused);
    tcase_add_test(tc, the_digest_is_the_one_signers_sign);
    tcase_add_test(tc, every_good_payload_is_signed);
    tcase_add_test(tc, bad_fixtures_get_their_reason);
    tcase_add_test(tc, the_threshold_counts_distinct_trusted_keys);
    tcase_add_test(tc, one_key_configured_twice_is_one_key);
    tcase_add_test(tc, a_bad_signature_beside_enough_good_ones_is_shown);
    tcase_add_test(tc, signers_that_are_not_trusted_do_not_count);
    tcase_add_test(tc, a_signature_is_for_one_height_hash_and_state);
    tcase_add_test(tc, only_128_hex_digits_are_a_signature);
    suite_add_tcase(s, tc);
    return s;
}
