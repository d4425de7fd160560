#include "tests/unit/trust_vectors.h"

static struct vectors v;
static struct chain_params params;

static void setup(void)
{
    vectors_init(&v);
    params = *params_find("testnet");
}

static void teardown(void)
{
    vectors_fini(&v);
}

START_TEST(what_another_program_wrote_is_read_and_written_alike)
{
    const cJSON *s;
    int seen = 0;

    cJSON_ArrayForEach (s, cJSON_GetObjectItem(v.doc, "statements")) {
        CLEANUP(trust_statement_free) struct trust_statement *st = NULL;
        CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);
        const char *want = kit_text(s, "text");
        uint8_t digest[32];
        char hex[65];

        ASSERT_OK(trust_statement_parse(want, strlen(want), &st, &test_err));
        trust_statement_write(st, &text);
        ck_assert_str_eq(text.data, want);
        trust_statement_digest(st, digest);
        hex_encode(digest, 32, hex);
        ck_assert_str_eq(hex, kit_text(s, "digest"));
        seen++;
    }
    ck_assert_int_eq(seen, 17);
}
END_TEST

START_TEST(every_member_is_read)
{
    const struct trust_statement *r = vectors_parse(&v, "revocation");
    const struct trust_statement *a = vectors_parse(&v, "attestation_0");
    const struct trust_statement *s = vectors_parse(&v, "set_1");
    uint8_t digest[32];

    ck_assert_int_eq(r->type, TRUST_REVOCATION);
    ck_assert_str_eq(r->network, "testnet");
    ck_assert_mem_eq(r->genesis_hash, params.genesis_hash, 32);
    ck_assert_uint_eq(r->height, 200);
    ck_assert_str_eq(r->reason, "wrong coins: \xc3\xa9\"");
    ck_assert_uint_eq(r->signature_count, 1);
    ck_assert_int_eq(a->type, TRUST_ATTESTATION);
    ck_assert_uint_eq(a->state_root[0], 0x5a);
    ck_assert_mem_eq(a->block_hash, r->block_hash, 32);
    ck_assert_int_eq(s->type, TRUST_SIGNER_SET);
    ck_assert_uint_eq(s->set->sequence, 1);
    ck_assert_uint_eq(s->set->threshold, 2);
    ck_assert_uint_eq(s->set->key_count, 3);
    ck_assert_int_eq(s->set->keys[2].alg, TRUST_ED25519);
    ck_assert_uint_eq(s->signature_count, 2);
    trust_statement_digest(vectors_parse(&v, "set_0"), digest);
    ck_assert_mem_eq(s->set->previous, digest, 32);
    ck_assert(trust_statement_of(s, &params));
    ck_assert(!trust_statement_of(s, params_find("mainnet")));
    params.genesis_hash[0] ^= 1;
    ck_assert(!trust_statement_of(s, &params));
}
END_TEST

static void assert_refused(const char *text, const char *why)
{
    struct trust_statement *st = NULL;

    test_err = (struct err){0};
    ck_assert_msg(trust_statement_parse(text, strlen(text), &st, &test_err) ==
                      ERR_INVALID,
                  "%s", text);
    ck_assert_ptr_null(st);
    ck_assert_msg(strstr(test_err.msg, why) != NULL, "%s: %s", text, test_err.msg);
}

/* The text of a good statement, one piece of it replaced. */
static void assert_refused_with(const char *name, const char *piece, const char *by,
                                const char *why)
{
    const char *text = kit_text(vectors_statement(&v, name), "text");
    const char *at = strstr(text, piece);
    AUTOFREE char *changed = NULL;

    ck_assert_msg(at != NULL, "%s", piece);
    changed = xasprintf("%.*s%s%s", (int)(at - text), text, by, at + strlen(piece));
    assert_refused(changed, why);
}

START_TEST(only_the_canonical_spelling_is_a_document)
{
    static const char canonical[] = "not in its canonical spelling";

    assert_refused_with("attestation_0", "{", "{ ", canonical);
    assert_refused_with("attestation_0", ":200,", ":200, ", canonical);
    assert_refused_with("attestation_0", "}", "} ", canonical);
    assert_refused_with("attestation_0", "\"type\"", "\"extra\":1,\"type\"", canonical);
    assert_refused_with("attestation_0", "\"alg\"", "\"a\":1,\"alg\"", canonical);
    assert_refused_with("revocation", "\\u00e9", "\xc3\xa9", canonical);
    assert_refused_with("revocation", "\\u00e9", "\\u00E9", canonical);
    assert_refused_with("revocation", "\"wrong", "\"\\u0077rong", canonical);
    assert_refused_with("attestation_0", "\"height\"", "\"a\":{},\"height\"",
                        canonical);
    assert_refused_with("attestation_0", "\"network\"", "\"height\":1,\"network\"",
                        "a key twice in one object");
}
END_TEST

START_TEST(members_out_of_bounds_are_named)
{
    static const char *const cases[][4] = {
        {"attestation_0", "\"type\":\"attestation\"", "\"type\":\"checkpoint\"",
         "type"},
        {"attestation_0", "\"type\":\"attestation\"", "\"type\":null", "type"},
        {"attestation_0", "\"network\":\"testnet\"", "\"network\":\"\"", "network"},
        {"attestation_0", "\"network\":\"testnet\"",
         "\"network\":\"testnettestnettestnettestnettest\"", "network"},
        {"attestation_0", ":200,", ":-1,", "height"},
        {"attestation_0", ":200,", ":200.0,", "height"},
        {"attestation_0", ":200,", ":9007199254740992,", "height"},
        {"attestation_0", "\"state_root\":\"5a", "\"state_root\":\"5A", "state_root"},
        {"attestation_0", "\"state_root\":\"5a", "\"state_root\":\"", "state_root"},
        {"attestation_0", "\"genesis_hash\"", "\"genesis\"", "genesis_hash"},
        {"attestation_0", "\"alg\":\"ed25519\"", "\"alg\":\"rsa\"", "signatures"},
        {"attestation_0", "\"alg\":\"ed25519\"", "\"alg\":\"secp256k1\"", "signatures"},
        {"attestation_0", "\"signature\":\"", "\"signature\":\"00", "signatures"},
        {"attestation_0", "\"signatures\":[{", "\"signatures\":[7,{", "signatures"},
        {"set_1", "\"threshold\":2", "\"threshold\":0", "threshold"},
        {"set_1", "\"threshold\":2", "\"threshold\":4", "threshold"},
        {"set_1", "\"sequence\":1", "\"sequence\":\"1\"", "sequence"},
        {"set_1", "\"keys\":[\"", "\"keys\":[\"00", "keys"},
        {"set_1", "\"previous\":\"", "\"previous\":\"0", "previous"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_refused_with(cases[i][0], cases[i][1], cases[i][2], cases[i][3]);
    assert_refused("", "statement: ");
    assert_refused("[]", "type");
    assert_refused("{}", "type");
    assert_refused("[[[[[[]]]]]]", "statement: ");
}
END_TEST

START_TEST(a_reason_has_at_most_200_bytes)
{
    char longer[TRUST_REASON_MAX + 2] = "", reason[240];

    memset(longer, 'x', TRUST_REASON_MAX + 1);
    (void)snprintf(reason, sizeof(reason), "\"reason\":\"%s\"", longer);
    assert_refused_with("revocation_ed25519", "\"reason\":\"\"", reason, "reason");
    assert_refused_with("revocation_ed25519", "\"reason\":\"\"",
                        "\"reason\":\"a\\u0000b\"", "reason");
}
END_TEST

START_TEST(keys_of_a_set_ascend_and_are_points)
{
    const struct trust_statement *s = vectors_parse(&v, "set_0");
    char first[TRUST_KEY_TEXT], second[TRUST_KEY_TEXT], from[200], to[200];

    trust_key_text(&s->set->keys[0], first);
    trust_key_text(&s->set->keys[1], second);
    (void)snprintf(from, sizeof(from), "[\"%s\",\"%s\"]", first, second);
    (void)snprintf(to, sizeof(to), "[\"%s\",\"%s\"]", second, first);
    assert_refused_with("set_0", from, to, "keys");
    (void)snprintf(to, sizeof(to), "[\"%s\",\"%s\"]", first, first);
    assert_refused_with("set_0", from, to, "keys");
    assert_refused_with("set_0", from, "[]", "keys");
    (void)snprintf(to, sizeof(to), "[\"%s\",\"05%s\"]", first, second + 2);
    assert_refused_with("set_0", from, to, "keys");
}
END_TEST

START_TEST(signatures_are_of_distinct_keys_in_order)
{
    struct trust_statement *s = trust_statement_new(TRUST_REVOCATION, &params);
    const struct trust_statement *set = vectors_parse(&v, "set_1");

    ASSERT_OK(trust_statement_add(s, &set->signatures[1], &test_err));
    ASSERT_OK(trust_statement_add(s, &set->signatures[0], &test_err));
    ASSERT_ERR(ERR_CONFLICT, trust_statement_add(s, &set->signatures[0], &test_err));
    ck_assert_uint_eq(s->signature_count, 2);
    ck_assert_int_lt(trust_key_compare(&s->signatures[0].key, &s->signatures[1].key),
                     0);
    trust_statement_free(s);
    assert_refused_with("attestation_0", "\"signatures\":[",
                        "\"signatures\":[{\"alg\":\"ed25519\",\"key\":\"\"},",
                        "signatures");
}
END_TEST

START_TEST(a_statement_may_be_without_signatures_and_then_nobody_signed)
{
    const struct trust_statement *s = vectors_parse(&v, "set_0");

    ck_assert_uint_eq(s->signature_count, 0);
    ck_assert_uint_eq(trust_statement_signed(s, s->set->keys, s->set->key_count), 0);
}
END_TEST

START_TEST(a_signature_holds_for_its_document_alone)
{
    const struct trust_statement *good = vectors_parse(&v, "attestation_0");
    struct trust_statement s = *good;
    struct trust_key keys[2] = {vectors_key(&v, "nodes", 0),
                                vectors_key(&v, "nodes", 1)};

    ck_assert_uint_eq(trust_statement_signed(&s, keys, 2), 1);
    ck_assert_uint_eq(trust_statement_signed(&s, keys + 1, 1), 0);
    keys[1] = keys[0];
    ck_assert_uint_eq(trust_statement_signed(&s, keys, 2), 1);
    s.height++;
    ck_assert_uint_eq(trust_statement_signed(&s, keys, 1), 0);
    s = *good;
    s.block_hash[31] ^= 1;
    ck_assert_uint_eq(trust_statement_signed(&s, keys, 1), 0);
    s = *good;
    s.state_root[0] ^= 1;
    ck_assert_uint_eq(trust_statement_signed(&s, keys, 1), 0);
    s = *good;
    s.genesis_hash[0] ^= 1;
    ck_assert_uint_eq(trust_statement_signed(&s, keys, 1), 0);
    s = *good;
    s.type = TRUST_REVOCATION;
    ck_assert_uint_eq(trust_statement_signed(&s, keys, 1), 0);
}
END_TEST

/* --- signer sets --- */

static struct trust_set first_set(unsigned threshold)
{
    const struct trust_key keys[] = {vectors_key(&v, "signers", 1),
                                     vectors_key(&v, "signers", 0),
                                     vectors_key(&v, "signers", 1)};
    struct trust_set set;

    ck_assert(trust_set_first(keys, 3, threshold, &set));
    return set;
}

START_TEST(the_first_set_is_what_is_configured)
{
    struct trust_set set = first_set(2);
    struct trust_key none[1] = {{0}};
    uint8_t digest[32];
    char hex[65];

    ck_assert_uint_eq(set.key_count, 2);
    trust_set_digest(&set, &params, digest);
    hex_encode(digest, 32, hex);
    ck_assert_str_eq(hex, kit_text(vectors_statement(&v, "set_0"), "digest"));
    ck_assert(!trust_set_first(none, 0, 0, &set));
    ck_assert(!trust_set_first(none, 0, 1, &set));
    ck_assert(!trust_set_first(none, 1, 0, &set));
    ck_assert(!trust_set_first(none, 1, 2, &set));
    ck_assert(!trust_set_first(none, TRUST_KEYS_MAX + 1, 1, &set));
}
END_TEST

START_TEST(a_node_that_slept_follows_certificate_by_certificate)
{
    struct trust_set set = first_set(2);

    ASSERT_ERR(ERR_CONFLICT,
               trust_set_advance(&set, vectors_parse(&v, "set_2"), &params, &test_err));
    ck_assert_uint_eq(set.sequence, 0);
    ASSERT_OK(trust_set_advance(&set, vectors_parse(&v, "set_1"), &params, &test_err));
    ck_assert_uint_eq(set.sequence, 1);
    ck_assert_uint_eq(set.key_count, 3);
    ASSERT_ERR(ERR_CONFLICT,
               trust_set_advance(&set, vectors_parse(&v, "set_1"), &params, &test_err));
    ASSERT_OK(trust_set_advance(&set, vectors_parse(&v, "set_2"), &params, &test_err));
    ck_assert_uint_eq(set.sequence, 2);
    ck_assert_uint_eq(set.threshold, 1);
    ck_assert_uint_eq(set.key_count, 2);
}
END_TEST

START_TEST(a_set_is_signed_by_the_threshold_of_the_one_before)
{
    struct trust_set set = first_set(2), before = set;

    ASSERT_ERR(ERR_VERIFY,
               trust_set_advance(&set, vectors_parse(&v, "set_1_one_signature"),
                                 &params, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_THRESHOLD_NOT_MET);
    ASSERT_ERR(ERR_VERIFY, trust_set_advance(&set, vectors_parse(&v, "set_1_strangers"),
                                             &params, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_THRESHOLD_NOT_MET);
    ck_assert_mem_eq(&set, &before, sizeof(set));
    ASSERT_OK(trust_set_advance(&set, vectors_parse(&v, "set_1"), &params, &test_err));
    ASSERT_ERR(ERR_VERIFY,
               trust_set_advance(&set, vectors_parse(&v, "set_2_by_the_old"), &params,
                                 &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_THRESHOLD_NOT_MET);
}
END_TEST

START_TEST(a_certificate_is_of_this_network_and_of_the_very_set)
{
    struct trust_set set = first_set(1); /* another threshold is another set */

    ASSERT_ERR(ERR_CONFLICT,
               trust_set_advance(&set, vectors_parse(&v, "set_1"), &params, &test_err));
    set = first_set(2);
    ASSERT_ERR(ERR_INVALID, trust_set_advance(&set, vectors_parse(&v, "attestation_0"),
                                              &params, &test_err));
    params.genesis_hash[3] ^= 1;
    ASSERT_ERR(ERR_VERIFY,
               trust_set_advance(&set, vectors_parse(&v, "set_1"), &params, &test_err));
    ck_assert_int_eq((int)test_err.reason, REASON_NETWORK_MISMATCH);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("trust_statement");
    TCase *tc = tcase_create("statement");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_another_program_wrote_is_read_and_written_alike);
    tcase_add_test(tc, every_member_is_read);
    tcase_add_test(tc, only_the_canonical_spelling_is_a_document);
    tcase_add_test(tc, members_out_of_bounds_are_named);
    tcase_add_test(tc, a_reason_has_at_most_200_bytes);
    tcase_add_test(tc, keys_of_a_set_ascend_and_are_points);
    tcase_add_test(tc, signatures_are_of_distinct_keys_in_order);
    tcase_add_test(tc, a_statement_may_be_without_signatures_and_then_nobody_signed);
    tcase_add_test(tc, a_signature_holds_for_its_document_alone);
    tcase_add_test(tc, the_first_set_is_what_is_configured);
    tcase_add_test(tc, a_node_that_slept_follows_certificate_by_certificate);
    tcase_add_test(tc, a_set_is_signed_by_the_threshold_of_the_one_before);
    tcase_add_test(tc, a_certificate_is_of_this_network_and_of_the_very_set);
    suite_add_tcase(s, tc);
    return s;
}
