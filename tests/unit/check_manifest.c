#include <sodium.h>

#include "sync/snapshot/snapdir.h"
#include "tests/unit/trust_kit.h"

/* The manifest that tests/data/snapshot/make_snapshot.py wrote: block 200 of the
   fixture chain, signed by the fixtures' signer (key 0) and by the Ed25519 key of seed
   00 01 .. (key 1), and by the signer over XAI's digest. */

static struct kit kit;
static struct manifest *m;
static struct trust_key keys[3]; /* the third has signed nothing */
static uint8_t secret[crypto_sign_SECRETKEYBYTES], other_secret[sizeof(secret)];
static char path[256];

static void begin(void)
{
    uint8_t seed[32];

    for (size_t i = 0; i < 32; i++)
        seed[i] = (uint8_t)i;
    kit_init(&kit);
    keys[0] = kit.policy.keys[0];
    keys[1].alg = keys[2].alg = TRUST_ED25519;
    ck_assert_int_eq(crypto_sign_seed_keypair(keys[1].bytes, secret, seed), 0);
    seed[0] = 9;
    ck_assert_int_eq(crypto_sign_seed_keypair(keys[2].bytes, other_secret, seed), 0);
    (void)snprintf(path, sizeof(path), "%s/snapshot/manifest.json", TEST_DATA);
    ASSERT_OK(manifest_read(path, &m, &test_err));
    (void)snprintf(path, sizeof(path), "%s/snapshot", TEST_DATA);
}

static void end(void)
{
    manifest_free(TAKE(m));
    kit_fini(&kit);
}

static enum errc parse(const char *text, struct manifest **out)
{
    return manifest_parse(text, strlen(text), out, &test_err);
}

static char *text_of(const struct manifest *of)
{
    CLEANUP_BUF struct buf text = BUF(MANIFEST_MAX);

    manifest_write(of, &text);
    return buf_take(&text);
}

START_TEST(another_program_s_snapshot_is_read)
{
    CLEANUP(snapdir_close) struct snapdir *s = NULL;
    char id[MANIFEST_ID];
    bool signed_by[3];

    ASSERT_OK(snapdir_open(path, &s, &test_err));
    ASSERT_OK(snapdir_verify(s, NULL, NULL, &test_err));
    ck_assert_uint_eq(m->height, 200);
    ck_assert_uint_eq(m->coin_count, 3);
    ck_assert_str_eq(m->software, "make_snapshot.py");
    manifest_id(m, id);
    ck_assert_str_eq(id, "200-50b6d6dcb628e444");
    ASSERT_OK(manifest_check_signatures(m, &test_err));
    ck_assert_uint_eq(manifest_signed(m, keys, 3, signed_by), 2);
    ck_assert(signed_by[0] && signed_by[1] && !signed_by[2]);
}
END_TEST

START_TEST(ids_have_one_form)
{
    static const char *const bad[] = {"",
                                      "200",
                                      "200-",
                                      "-50b6d6dcb628e444",
                                      "0200-50b6d6dcb628e444",
                                      "200-50b6d6dcb628e44",
                                      "200-50b6d6dcb628e4444",
                                      "200-50B6d6dcb628e444",
                                      "../200-50b6d6dcb628e444",
                                      "200-50b6d6dcb628e444/",
                                      "99999999999999999-50b6d6dcb628e444",
                                      "200-50b6d6dcb628e444.incomplete"};

    ck_assert(manifest_id_valid("200-50b6d6dcb628e444"));
    ck_assert(manifest_id_valid("0-50b6d6dcb628e444"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!manifest_id_valid(bad[i]), "%s", bad[i]);
}
END_TEST

/* --- every field: another value, none, another type --- */

static bool is_seen(cJSON *doc, const uint8_t digest[32])
{
    AUTOFREE char *text = cJSON_PrintUnformatted(doc);
    CLEANUP(manifest_free) struct manifest *changed = NULL;
    uint8_t now[32];

    if (parse(text, &changed))
        return test_err.reason == REASON_METADATA_MALFORMED;
    manifest_digest(changed, now);
    return memcmp(now, digest, 32) != 0 && manifest_signed(changed, keys, 2, NULL) == 0;
}

/* Another value that might pass: the next number, another last digit or letter. */
static cJSON *nearly(const cJSON *v)
{
    cJSON *copy = cJSON_Duplicate(v, true);
    size_t len;

    if (cJSON_IsNumber(v)) {
        cJSON_SetNumberValue(copy, v->valuedouble + 1);
    } else if (cJSON_IsString(v)) {
        len = strlen(v->valuestring);
        copy->valuestring[len - 1] = v->valuestring[len - 1] == '1' ? '2' : '1';
    } else if (cJSON_IsNull(v)) {
        cJSON_Delete(copy);
        copy = cJSON_CreateString("1");
    } else {
        cJSON_Delete(copy);
        copy = cJSON_CreateNull();
    }
    return copy;
}

static void each_field(cJSON *doc, cJSON *object, const uint8_t digest[32])
{
    for (int i = 0; i < cJSON_GetArraySize(object); i++) {
        AUTOFREE char *name = xstrdup(cJSON_GetArrayItem(object, i)->string);
        cJSON *others[] = {nearly(cJSON_GetArrayItem(object, i)),
                           cJSON_CreateNumber(-1), cJSON_CreateString("x"),
                           cJSON_CreateTrue(), cJSON_CreateArray()};
        cJSON *was = cJSON_Duplicate(cJSON_GetArrayItem(object, i), true);

        if (strcmp(name, "signatures") == 0 || strcmp(name, "xai_signatures") == 0) {
            cJSON_Delete(others[4]); /* fewer signatures is no lie */
            others[4] = cJSON_CreateObject();
        }
        for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
            ck_assert(cJSON_ReplaceItemInObjectCaseSensitive(object, name, others[k]));
            ck_assert_msg(is_seen(doc, digest), "%s: change %zu", name, k);
        }
        ck_assert(cJSON_ReplaceItemInObjectCaseSensitive(object, name, was));
    }
}

START_TEST(every_altered_field_is_seen)
{
    AUTOFREE char *text = text_of(m);
    cJSON *doc = cJSON_Parse(text);
    uint8_t digest[32];

    manifest_digest(m, digest);
    ck_assert(cJSON_ReplaceItemInObject(/* cJSON spells it with 17 digits */
                                        cJSON_GetObjectItem(doc, "header"), "timestamp",
                                        cJSON_CreateRaw("1795319533.842343")));
    ck_assert(!is_seen(doc, digest));
    each_field(doc, doc, digest);
    ck_assert(!is_seen(doc, digest));
    each_field(doc, cJSON_GetObjectItem(doc, "header"), digest);
    ck_assert(!is_seen(doc, digest));
    cJSON_Delete(doc);
}
END_TEST

START_TEST(every_missing_or_added_field_is_seen)
{
    AUTOFREE char *text = text_of(m);
    CLEANUP(manifest_free) struct manifest *out = NULL;
    cJSON *doc = cJSON_Parse(text);
    int count = cJSON_GetArraySize(doc);

    for (int i = 0; i < count; i++) {
        cJSON *copy = cJSON_Duplicate(doc, true);
        AUTOFREE char *less = NULL;

        cJSON_DeleteItemFromArray(copy, i);
        less = cJSON_PrintUnformatted(copy);
        ASSERT_ERR(ERR_VERIFY, parse(less, &out));
        ck_assert_int_eq(test_err.reason, REASON_METADATA_MALFORMED);
        cJSON_Delete(copy);
    }
    ck_assert(cJSON_AddTrueToObject(doc, "zzz") != NULL);
    free(text);
    text = cJSON_PrintUnformatted(doc);
    ASSERT_ERR(ERR_VERIFY, parse(text, &out));
    cJSON_Delete(doc);
}
END_TEST

/* --- what a manifest cannot say --- */

struct bound {
    const char *why;
    void (*change)(struct manifest *m);
};

static void one_coin_too_many(struct manifest *x)
{
    x->coin_count = 4 + 186 / COINREC_MIN;
}
static void one_coin_too_few(struct manifest *x)
{
    x->coin_count = 1;
}
static void many_chunks(struct manifest *x)
{
    x->chunk_count = 2;
    x->frames_bytes = 100;
}
static void no_chunk(struct manifest *x)
{
    x->chunk_count = 0;
    x->frames_bytes = 0;
}
static void chunks_over_the_limit(struct manifest *x)
{
    x->chunk_count = CHUNKTABLE_CHUNKS_MAX + 1;
}
static void no_frame(struct manifest *x)
{
    x->frames_bytes = 0;
}
static void a_bomb_of_frames(struct manifest *x)
{
    x->frames_bytes = 186 + 65;
}
static void bytes_over_the_limit(struct manifest *x)
{
    x->bytes = COINFILE_BYTES_MAX + 1;
}
static void less_than_a_header(struct manifest *x)
{
    x->bytes = 119;
}
static void more_than_coins_can_hold(struct manifest *x)
{
    x->total = (u128)3000000000 * 1000000000000000000U + 1;
}
static void a_height_beyond_json(struct manifest *x)
{
    x->height = x->header.height = UINT64_C(1) << 53;
}
static void another_height(struct manifest *x)
{
    x->height++;
}
static void another_block(struct manifest *x)
{
    x->block_hash[4] ^= 1;
}
static void a_signed_header(struct manifest *x)
{
    memset(x->header.signature, 'a', 128);
    memset(x->header.miner_pubkey, 'b', 128);
}
static void no_network(struct manifest *x)
{
    x->network[0] = '\0';
}
static void a_network_with_a_space(struct manifest *x)
{
    x->network[3] = ' ';
}
static void software_with_a_line(struct manifest *x)
{
    x->software[3] = '\n';
}
static void signatures_over_nothing(struct manifest *x)
{
    x->has_xai_state_hash = false;
}
static void a_key_twice(struct manifest *x)
{
    x->signatures[1] = x->signatures[0];
}
static void keys_out_of_order(struct manifest *x)
{
    struct trust_signed first = x->signatures[0];

    x->signatures[0] = x->signatures[1];
    x->signatures[1] = first;
}
static void an_upper_case_key(struct manifest *x)
{
    x->xai[0].pubkey[4] = 'D';
    ck_assert_int_ne(x->xai[0].pubkey[5], 'd');
}
static void a_key_that_is_none(struct manifest *x)
{
    x->xai[0].pubkey[0] = x->xai[0].pubkey[0] == '1' ? '2' : '1';
}
static void a_short_signature(struct manifest *x)
{
    x->xai[0].signature[126] = '\0';
}

START_TEST(what_cannot_be_is_refused)
{
    static const struct bound bounds[] = {
        {"bytes: impossible", one_coin_too_many},
        {"bytes: impossible", one_coin_too_few},
        {"chunk_count: impossible", many_chunks},
        {"chunk_count: impossible", no_chunk},
        {"chunk_count: missing or malformed", chunks_over_the_limit},
        {"frames_bytes: impossible", no_frame},
        {"frames_bytes: impossible", a_bomb_of_frames},
        {"bytes: missing or malformed", bytes_over_the_limit},
        {"bytes: missing or malformed", less_than_a_header},
        {"total: impossible", more_than_coins_can_hold},
        {"height: missing or malformed", a_height_beyond_json},
        {"header: of another block", another_height},
        {"header: of another block", another_block},
        {"header: with a signature", a_signed_header},
        {"network: missing or malformed", no_network},
        {"network: missing or malformed", a_network_with_a_space},
        {"software: missing or malformed", software_with_a_line},
        {"xai_signatures: of no", signatures_over_nothing},
        {"signatures: missing or malformed", a_key_twice},
        {"canonical", keys_out_of_order},
        {"xai_signatures: missing or malformed", an_upper_case_key},
        {"xai_signatures: missing or malformed", a_key_that_is_none},
        {"xai_signatures: missing or malformed", a_short_signature},
    };

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        CLEANUP(manifest_free) struct manifest *changed = manifest_copy(m);
        CLEANUP(manifest_free) struct manifest *out = NULL;
        AUTOFREE char *text = NULL;

        bounds[i].change(changed);
        text = text_of(changed);
        ck_assert_msg(parse(text, &out) == ERR_VERIFY, "%zu: %s", i, text);
        ck_assert_int_eq(test_err.reason, REASON_METADATA_MALFORMED);
        ck_assert_msg(strstr(test_err.msg, bounds[i].why), "%zu: %s", i, test_err.msg);
    }
}
END_TEST

START_TEST(one_spelling)
{
    static const struct {
        const char *from, *to;
    } cases[] = {{"\"bytes\":306", "\"bytes\": 306"},
                 {"\"bytes\":306", "\"bytes\":306.0"},
                 {"\"total\":\"6", "\"total\":\"06"},
                 {"\"work\":\"2", "\"work\":\"+2"},
                 {"\"testnet\"", "\"testne\\u0074\""},
                 {"1795319533.842343", "1795319533.8423430"},
                 {"{\"block_hash\"", "\n{\"block_hash\""}};
    AUTOFREE char *text = text_of(m);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *at = strstr(text, cases[i].from);
        AUTOFREE char *other = NULL;
        struct manifest *out = NULL;

        ck_assert_ptr_nonnull(at);
        other = xasprintf("%.*s%s%s", (int)(at - text), text, cases[i].to,
                          at + strlen(cases[i].from));
        ck_assert_msg(parse(other, &out) == ERR_VERIFY, "%s", cases[i].to);
        ck_assert_int_eq(test_err.reason, REASON_METADATA_MALFORMED);
    }
}
END_TEST

START_TEST(a_file_too_large_is_not_read)
{
    struct manifest *out = NULL;

    ASSERT_ERR(ERR_VERIFY, manifest_read("/dev/zero", &out, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "too large"));
}
END_TEST

/* --- signatures --- */

static struct trust_signed sign_as(const struct manifest *of, int key,
                                   const uint8_t *with)
{
    struct trust_signed sig = {.key = keys[key]};
    uint8_t digest[32];

    manifest_digest(of, digest);
    (void)crypto_sign_detached(sig.signature, NULL, digest, 32, with);
    return sig;
}

START_TEST(signatures_gather)
{
    struct trust_signed sig = sign_as(m, 2, other_secret);
    uint8_t before[32], after[32];

    manifest_digest(m, before);
    ASSERT_OK(manifest_add(m, &sig, &test_err));
    manifest_digest(m, after);
    ck_assert_mem_eq(before, after, 32);
    ck_assert_uint_eq(manifest_signed(m, keys, 3, NULL), 3);
    ASSERT_ERR(ERR_CONFLICT, manifest_add(m, &sig, &test_err));
    sig = sign_as(m, 2, secret); /* with another's key */
    ASSERT_ERR(ERR_VERIFY, manifest_add(m, &sig, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_BAD_SIGNATURE);
    ck_assert_uint_eq(m->signature_count, 3);
}
END_TEST

START_TEST(a_signature_over_xai_s_digest_is_none_over_this_one)
{
    struct trust_key signer;

    ck_assert_uint_eq(manifest_signed(m, keys, 1, NULL), 1);
    m->signatures[0].signature[3] ^= 1;
    ck_assert_uint_eq(manifest_signed(m, keys, 1, NULL), 0);
    ASSERT_ERR(ERR_VERIFY, manifest_check_signatures(m, &test_err));
    ck_assert_ptr_nonnull(strstr(test_err.msg, "027959deb8"));
    m->signatures[0].signature[3] ^= 1;
    ck_assert(manifest_xai_holds(m, &m->xai[0], &signer));
    ck_assert(trust_key_equal(&signer, &keys[0]));
    m->xai_state_hash[0] ^= 1;
    ck_assert(!manifest_xai_holds(m, &m->xai[0], &signer));
    m->xai_state_hash[0] ^= 1;
    m->xai[0].signature[3] = m->xai[0].signature[3] == '1' ? '2' : '1';
    ASSERT_ERR(ERR_VERIFY, manifest_check_signatures(m, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_BAD_SIGNATURE);
}
END_TEST

START_TEST(xai_signatures_gather)
{
    struct manifest_xai sig = m->xai[0], again = sig;

    m->xai_count = 0;
    sig.signature[0] = sig.signature[0] == '1' ? '2' : '1';
    ASSERT_ERR(ERR_VERIFY, manifest_add_xai(m, &sig, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_BAD_SIGNATURE);
    sig.signature[0] = m->xai[0].signature[0];
    ASSERT_OK(manifest_add_xai(m, &sig, &test_err));
    ck_assert_uint_eq(m->xai_count, 1);
    (void)snprintf(
        again.pubkey, sizeof(again.pubkey), "%s",
        "027959deb8428b63e9086f9ec63e0b5e6cf1432f826fb59681996c5b3eefc65a17");
    ASSERT_ERR(ERR_CONFLICT, manifest_add_xai(m, &again, &test_err));
    m->has_xai_state_hash = false;
    ASSERT_ERR(ERR_CONFLICT, manifest_add_xai(m, &sig, &test_err));
}
END_TEST

START_TEST(manifests_merge)
{
    CLEANUP(manifest_free) struct manifest *a = manifest_copy(m);
    CLEANUP(manifest_free) struct manifest *b = manifest_copy(m);
    AUTOFREE char *before = text_of(m), *after = NULL;
    size_t added = 9;

    a->signature_count = 1;
    a->xai_count = 0;
    b->signatures[0] = b->signatures[1];
    b->signature_count = 1;
    ASSERT_OK(manifest_merge(a, b, &added, &test_err));
    ck_assert_uint_eq(added, 2);
    after = text_of(a);
    ck_assert_str_eq(before, after);
    ASSERT_OK(manifest_merge(a, m, &added, &test_err));
    ck_assert_uint_eq(added, 0);
}
END_TEST

START_TEST(a_merge_takes_nothing_bad)
{
    CLEANUP(manifest_free) struct manifest *a = manifest_copy(m);
    CLEANUP(manifest_free) struct manifest *b = manifest_copy(m);
    size_t added = 9;

    a->signature_count = 1;
    b->xai_count = 0;
    b->signatures[1].signature[0] ^= 1;
    ASSERT_ERR(ERR_VERIFY, manifest_merge(a, b, &added, &test_err));
    ck_assert_int_eq(test_err.reason, REASON_BAD_SIGNATURE);
    ck_assert_uint_eq(a->signature_count, 1);
    ck_assert_uint_eq(added, 9);
    b->signatures[1].signature[0] ^= 1;
    b->coin_count++;
    ASSERT_ERR(ERR_CONFLICT, manifest_merge(a, b, &added, &test_err));
    ck_assert_uint_eq(a->signature_count, 1);
}
END_TEST

/* --- what the trust rules make of it --- */

static void judge_it(struct manifest_texts *texts)
{
    manifest_candidate(m, "https://cp.example/manifest.json", texts, &kit.candidate);
    for (size_t i = 0; i < 2; i++)
        kit.policy.keys[i] = keys[i];
    kit.policy.key_count = 2;
    kit.policy.threshold = 2;
}

START_TEST(its_signers_count)
{
    static struct manifest_texts texts;

    judge_it(&texts);
    EXPECT(&kit, NETWORK, PASS);
    EXPECT(&kit, METADATA, PASS);
    EXPECT(&kit, WORK, PASS);
    EXPECT(&kit, SIGNATURES, PASS);
    ck_assert(kit.verdict.accepted);
    ck_assert_uint_eq(kit.verdict.signer_count, 2);
    kit.candidate.manifest_digest[0] ^= 1;
    EXPECT_FAIL(&kit, SIGNATURES, BAD_SIGNATURE);
}
END_TEST

START_TEST(a_signature_over_a_manifest_is_over_that_alone)
{
    static struct manifest_texts texts;

    judge_it(&texts);
    kit.candidate.signatures[1].over = TRUST_OVER_CAIRN;
    EXPECT_FAIL(&kit, SIGNATURES, BAD_SIGNATURE);
    kit.candidate.signatures[1].over = TRUST_OVER_MANIFEST;
    EXPECT(&kit, SIGNATURES, PASS);
    kit.candidate.has_manifest = false;
    EXPECT_FAIL(&kit, SIGNATURES, UNSIGNED);
}
END_TEST

/* Its state_hash was signed for other coins: the state root is a lie. */
START_TEST(a_signature_over_xai_s_digest_vouches_for_no_coins)
{
    static struct manifest_texts texts;

    m->state_root[0] ^= 1;
    m->signature_count = 0;
    ASSERT_OK(manifest_check_signatures(m, &test_err)); /* XAI's holds */
    judge_it(&texts);
    kit.policy.threshold = 1;
    EXPECT_FAIL(&kit, SIGNATURES, UNSIGNED);
}
END_TEST

START_TEST(another_genesis_is_another_network)
{
    static struct manifest_texts texts;

    m->genesis_hash[31] ^= 1;
    judge_it(&texts);
    EXPECT_FAIL(&kit, NETWORK, NETWORK_MISMATCH);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("manifest");
    TCase *t = tcase_create("manifest");

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, another_program_s_snapshot_is_read);
    tcase_add_test(t, ids_have_one_form);
    tcase_add_test(t, every_altered_field_is_seen);
    tcase_add_test(t, every_missing_or_added_field_is_seen);
    tcase_add_test(t, what_cannot_be_is_refused);
    tcase_add_test(t, one_spelling);
    tcase_add_test(t, a_file_too_large_is_not_read);
    tcase_add_test(t, signatures_gather);
    tcase_add_test(t, a_signature_over_xai_s_digest_is_none_over_this_one);
    tcase_add_test(t, xai_signatures_gather);
    tcase_add_test(t, manifests_merge);
    tcase_add_test(t, a_merge_takes_nothing_bad);
    tcase_add_test(t, its_signers_count);
    tcase_add_test(t, a_signature_over_a_manifest_is_over_that_alone);
    tcase_add_test(t, a_signature_over_xai_s_digest_vouches_for_no_coins);
    tcase_add_test(t, another_genesis_is_another_network);
    suite_add_tcase(s, t);
    return s;
}
