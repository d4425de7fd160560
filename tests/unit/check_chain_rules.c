#include "base/hash.h"
#include "base/hex.h"
#include "base/pyfloat.h"
#include "sync/chain/rules.h"
#include "sync/chain/work.h"
#include "tests/unit/lines.h"

static const struct chain_params *testnet(void)
{
    return params_find("testnet");
}

static void assert_bits(double got, double want)
{
    ck_assert_mem_eq(&got, &want, sizeof(got));
}

/* A Python repr as a JSON document: '5' becomes "5", None null; NULL for nan and inf.
 */
static struct json_doc *python_value(const char *repr)
{
    const struct json_limits limits = {1000, 10, 2};
    struct json_doc *doc = NULL;
    char text[200];

    (void)snprintf(text, sizeof(text), "%s", repr);
    if (strcmp(repr, "None") == 0)
        (void)snprintf(text, sizeof(text), "null");
    if (strcmp(repr, "True") == 0)
        (void)snprintf(text, sizeof(text), "true");
    if (repr[0] == '\'')
        (void)snprintf(text, sizeof(text), "\"%.*s\"", (int)strlen(repr) - 2, repr + 1);
    (void)json_parse(text, strlen(text), &limits, &doc, &test_err);
    return doc;
}

START_TEST(amounts_are_truncated_like_stock)
{
    for (struct lines l = lines_open("vectors/amount_normalise.jsonl");
         lines_next(&l);) {
        struct json_doc *doc = python_value(text_of(l.v, "in_repr"));
        double got = -7;

        if (!bool_of(l.v, "ok")) {
            ck_assert_msg(!doc || !amount_read(json_root(doc), &got), "%s", l.text);
            ck_assert(got <= -7);
        } else {
            ck_assert_msg(doc && amount_read(json_root(doc), &got), "%s", l.text);
            assert_bits(got, from_bits(text_of(l.v, "out_bits")));
        }
        json_free(doc);
    }
}
END_TEST

START_TEST(rewards_halve_and_stop_at_the_cap)
{
    for (struct lines l = lines_open("vectors/block_reward.jsonl"); lines_next(&l);)
        assert_bits(
            reward_at(u64_of(l.v, "height"), double_of(l.v, "circulating_supply")),
            double_of(l.v, "reward"));
    assert_bits(reward_at(UINT64_MAX, 0), 0.0);
}
END_TEST

START_TEST(sums_are_compared_as_printed)
{
    size_t refused = 0;

    for (struct lines l = lines_open("vectors/input_sufficiency.jsonl");
         lines_next(&l);) {
        bool want = bool_of(l.v, "sufficient");

        ck_assert_msg(sums_suffice(double_of(l.v, "input_sum"),
                                   double_of(l.v, "output_sum"),
                                   double_of(l.v, "fee")) == want,
                      "%s", l.text);
        refused += !want;
    }
    ck_assert_uint_gt(refused, 0);
    ck_assert(!sums_suffice(1e300, 1, 0) && !sums_suffice(1e9, 2e9, 0));
}
END_TEST

START_TEST(work_is_that_of_stock)
{
    for (struct lines l = lines_open("vectors/block_work.jsonl"); lines_next(&l);) {
        struct work w = work_of_block((uint32_t)u64_of(l.v, "difficulty")), back;
        const char *want = text_of(l.v, "work");
        char text[WORK_TEXT];

        work_text(&w, text);
        ck_assert_str_eq(text, want);
        ck_assert(work_parse(want, &back) && work_compare(&w, &back) == 0);
        ck_assert(work_double(&w) / pyfloat_parse(want, strlen(want)) > 0.999 ||
                  work_is_zero(&w));
    }
}
END_TEST

START_TEST(work_adds_and_subtracts_within_its_bounds)
{
    struct work one = work_of_block(1), big = work_of_block(64), max, zero = {0}, w;
    char text[WORK_TEXT];

    memset(&max, 0xff, sizeof(max));
    w = work_add(max, one);
    ck_assert_int_eq(work_compare(&w, &max), 0);
    w = work_sub(one, big);
    ck_assert(work_is_zero(&w) && !work_is_zero(&one));
    w = work_sub(work_add(big, one), big);
    ck_assert_int_eq(work_compare(&w, &one), 0);
    w = work_add(big, big);
    work_text(&w, text);
    ck_assert_str_eq(text,
                     "23158417847463239084714197001737581570653996933128112807891516801"
                     "5826259279870");
    ck_assert(work_compare(&one, &big) < 0 && work_compare(&big, &one) > 0);
    work_text(&max, text);
    ck_assert_uint_eq(strlen(text), WORK_TEXT - 1);
    ck_assert(work_parse(text, &w) && work_compare(&w, &max) == 0);
    text[WORK_TEXT - 2]++; /* 2^320 - 1 ends with 5 */
    ck_assert(!work_parse(text, &w));
    work_text(&zero, text);
    ck_assert_str_eq(text, "0");
    ck_assert(!work_parse("", &w) && !work_parse("01", &w) && !work_parse("-1", &w) &&
              !work_parse("1 ", &w) && !work_parse("1e3", &w));
}
END_TEST

START_TEST(merkle_roots_are_those_of_stock)
{
    for (struct lines l = lines_open("vectors/merkle.jsonl"); lines_next(&l);) {
        CLEANUP_BUF struct buf txids = BUF(1 << 20);
        const struct json *list = json_get(l.v, "txids");
        uint8_t want[32], got[32];

        for (const struct json *v = list->first; v; v = v->next)
            buf_put(&txids, v->text, v->len);
        hash_of(l.v, "root", want);
        merkle_root(txids.data ? txids.data : "", list->len, got);
        ck_assert_msg(memcmp(got, want, sizeof(got)) == 0, "%zu leaves", list->len);
    }
}
END_TEST

static void pair_up(char *left, const char *right)
{
    char both[129];
    uint8_t hash[32];

    memcpy(both, left, 64);
    memcpy(both + 64, right, 64);
    hash_sha256(both, 128, hash);
    hex_encode(hash, 32, both);
    memcpy(left, both, 64);
}

START_TEST(merkle_in_bounded_memory_equals_level_by_level)
{
    static char leaves[300 * 64 + 1], level[300 * 64];

    for (size_t i = 0; i < 300; i++) {
        uint8_t hash[32];

        hash_sha256(&i, sizeof(i), hash);
        hex_encode(hash, 32, leaves + 64 * i);
    }
    for (size_t n = 1; n <= 300; n++) {
        uint8_t want[32], got[32];

        memcpy(level, leaves, n * 64);
        for (size_t m = n; m > 1; m = (m + 1) / 2)
            for (size_t i = 0; i < m; i += 2) {
                pair_up(level + i * 64, level + (i + 1 < m ? i + 1 : i) * 64);
                memmove(level + i / 2 * 64, level + i * 64, 64);
            }
        ck_assert(hex_decode(level, 32, true, want));
        merkle_root(leaves, n, got);
        ck_assert_msg(memcmp(got, want, 32) == 0, "%zu leaves", n);
    }
}
END_TEST

START_TEST(addresses_are_derived_like_stock)
{
    for (struct lines l = lines_open("vectors/addresses.jsonl"); lines_next(&l);) {
        char address[COIN_ADDRESS_MAX + 1], again[COIN_ADDRESS_MAX + 1];
        uint8_t key[64];

        ck_assert(hex_decode(text_of(l.v, "public_key"), 64, true, key));
        address_of_key(key, testnet(), address);
        ck_assert_str_eq(address, text_of(l.v, "testnet_spendable"));
        ck_assert(address_is_spendable(address, testnet()));
        ck_assert(!address_is_spendable(address, params_find("mainnet")));
        ck_assert(address_normalise(address, again));
        ck_assert_str_eq(address, again);
        address_of_key(key, params_find("mainnet"), address);
        ck_assert_str_eq(address, text_of(l.v, "mainnet_spendable"));
        ck_assert(
            !address_in_transfer(text_of(l.v, "testnet_wallet_class"), testnet()));
        ck_assert(address_normalise(text_of(l.v, "testnet_wallet_class"), again));
    }
}
END_TEST

START_TEST(addresses_are_judged_like_stock)
{
    for (struct lines l = lines_open("vectors/address_validation.jsonl");
         lines_next(&l);) {
        char out[COIN_ADDRESS_MAX + 1] = "untouched";
        const char *in;

        if (!json_text(json_get(l.v, "in"), &in)) {
            ck_assert(!bool_of(l.v, "ok"));
            continue;
        }
        ck_assert_msg(address_normalise(in, out) == bool_of(l.v, "ok"), "%s", in);
        ck_assert_str_eq(out, bool_of(l.v, "ok") ? text_of(l.v, "out") : "untouched");
        ck_assert_msg(address_in_transfer(in, testnet()) ==
                          (json_get(l.v, "block_validator") != NULL),
                      "%s", in);
    }
}
END_TEST

START_TEST(addresses_with_space_around_are_what_python_strips)
{
    char out[COIN_ADDRESS_MAX + 1];
    const char *spaced =
        "\xe2\x80\x83\xc2\xa0\x1c\t TXAI0Cd7706B384b4F687d01b9bFEA5A88791CCf7ba1"
        "\xe3\x80\x80\xc2\x85\n\xe1\x9a\x80";

    ck_assert(address_in_transfer(spaced, testnet()));
    ck_assert(address_normalise(spaced, out));
    ck_assert_str_eq(out, "TXAI0Cd7706B384b4F687d01b9bFEA5A88791CCf7ba1");
    ck_assert(!address_is_spendable(spaced, testnet()));
    ck_assert(
        !address_in_transfer("\xe2\x80\x8bTXAI0Cd7706B384b4F687d01b9bFEA5A88791CCf7ba1",
                             testnet())); /* U+200B is not white space */
    ck_assert(!address_in_transfer(" \t\n", testnet()));
    ck_assert(address_is_name("SYSTEM") && !address_is_name("System"));
    ck_assert(!address_is_spendable("TXAI0cd7706b384b4f687d01b9bfea5a88791ccf7ba1",
                                    testnet()));
}
END_TEST

START_TEST(signatures_are_judged_like_stock)
{
    size_t stricter = 0;

    for (struct lines l = lines_open("vectors/ecdsa_raw.jsonl"); lines_next(&l);) {
        const char *hex = text_of(l.v, "msg_hex"), *why = text_of(l.v, "why");
        bool want = bool_of(l.v, "valid");
        uint8_t message[1000];

        ck_assert(hex_decode(hex, strlen(hex) / 2, true, message));
        if (strstr(
                why,
                "hex with a space")) { /* refused by stock's block rule: 128 digits */
            want = false;
            stricter++;
        }
        ck_assert_msg(ecdsa_check(text_of(l.v, "pub"), text_of(l.v, "sig"), message,
                                  strlen(hex) / 2) == want,
                      "%s", why);
    }
    ck_assert_uint_eq(stricter, 1);
}
END_TEST

/* One good signature of the vectors. */
static void good_signature(uint8_t key[65], uint8_t digest[32], uint8_t sig[64])
{
    bool found = false;

    for (struct lines l = lines_open("vectors/ecdsa_raw.jsonl"); lines_next(&l);) {
        const char *hex = text_of(l.v, "msg_hex");
        uint8_t message[1000];

        if (found || strcmp(text_of(l.v, "why"), "valid low-s") != 0)
            continue;
        found = hex_decode(hex, strlen(hex) / 2, true, message) &&
                hex_decode(text_of(l.v, "pub"), 64, true, key + 1) &&
                hex_decode(text_of(l.v, "sig"), 64, true, sig);
        hash_sha256(message, strlen(hex) / 2, digest);
    }
    ck_assert(found);
    key[0] = 4;
}

static void negate_s(uint8_t sig[64])
{
    uint8_t n[32];
    int borrow = 0;

    ck_assert(
        hex_decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd036414"
                   "1",
                   32, true, n));
    for (size_t i = 32; i-- > 0;) {
        int d = n[i] - sig[32 + i] - borrow;

        borrow = d < 0;
        sig[32 + i] = (uint8_t)d;
    }
}

START_TEST(digests_accept_high_s_and_every_spelling_of_the_key)
{
    uint8_t key[65], compressed[33], digest[32], sig[64];
    char hex[131];

    good_signature(key, digest, sig);
    ck_assert(ecdsa_check_digest(key + 1, 64, digest, sig));
    ck_assert(ecdsa_check_digest(key, 65, digest, sig));
    hex_encode(key, 65, hex);
    ck_assert(ecdsa_key(hex, compressed));
    ck_assert(ecdsa_check_digest(compressed, 33, digest, sig));
    negate_s(sig);
    ck_assert(ecdsa_check_digest(compressed, 33, digest, sig));
    ck_assert(!ecdsa_check_digest(key, 64, digest, sig));
    ck_assert(!ecdsa_check_digest(key, 32, digest, sig));
    digest[0] ^= 1;
    ck_assert(!ecdsa_check_digest(compressed, 33, digest, sig));
    digest[0] ^= 1;
    memset(sig, 0, 32);
    ck_assert(!ecdsa_check_digest(compressed, 33, digest, sig));
    memset(sig, 0xff, sizeof(sig));
    ck_assert(!ecdsa_check_digest(compressed, 33, digest, sig));
}
END_TEST

START_TEST(keys_are_one_point_however_spelled)
{
    uint8_t key[65], digest[32], sig[64], a[33], b[33];
    char hex[132];

    good_signature(key, digest, sig);
    hex_encode(key, 65, hex);
    ck_assert(ecdsa_key(hex, a));
    ck_assert(ecdsa_key(hex + 2, b)); /* raw */
    ck_assert_mem_eq(a, b, sizeof(a));
    for (char *p = hex; *p; p++)
        *p = *p >= 'a' ? (char)(*p - 32) : *p;
    ck_assert(ecdsa_key(hex, b));
    ck_assert_mem_eq(a, b, sizeof(a));
    hex_encode(a, 33, hex);
    ck_assert(ecdsa_key(hex, b));
    ck_assert_mem_eq(a, b, sizeof(a));
    ck_assert(!ecdsa_key("", b) && !ecdsa_key("02", b) && !ecdsa_key("0", b));
    hex[65] = '\0';
    ck_assert(!ecdsa_key(hex, b));
    memset(hex, 'f', 66);
    hex[66] = '\0';
    ck_assert(!ecdsa_key(hex, b));
}
END_TEST

static enum errc parse_params(const char *text, struct chain_params *out)
{
    return params_parse(text, strlen(text), out, &test_err);
}

#define HASH64 "00000000000000000000000000000000000000000000000000000000000000ab"
#define COIN_JSON \
    "{\"txid\":\"" HASH64 "\",\"vout\":0,\"address\":\"TXAI\",\"amount\":5}"
#define PARAMS_JSON(context, coins, cap)                           \
    "{\"network\":\"my-net\",\"chain_context\":\"" context         \
    "\",\"genesis_hash\":\"" HASH64 "\",\"genesis_coins\":[" coins \
    "],\"max_difficulty\":" cap ",\"min_difficulty_after_gap\":false}"

START_TEST(parameters_are_read_strictly)
{
    struct chain_params p = {.network = "untouched"};
    static const struct {
        const char *text, *field;
    } bad[] = {
        {"", "the document"},
        {"[]", "the document"},
        {"{}", "the document"},
        {"{\"network\":\"a\"}", "the document"},
        {PARAMS_JSON("devnet", "", "4"), "chain_context"},
        {PARAMS_JSON("testnet", "", "65"), "max_difficulty"},
        {PARAMS_JSON("testnet", "", "4.0"), "max_difficulty"},
        {PARAMS_JSON("testnet", "{}", "4"), "genesis_coins"},
        {PARAMS_JSON("testnet", COIN_JSON "," COIN_JSON, "4"),
         "genesis_coins: a coin twice"},
        {PARAMS_JSON("testnet", "", "4,\"x\":1"), "the document"},
        {PARAMS_JSON("testnet", "", "4,\"p2p_tls\":1"), "p2p_tls"},
        {PARAMS_JSON("testnet", "", "4,\"p2p_tls\":true,\"x\":1"), "the document"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ASSERT_ERR(ERR_INVALID, parse_params(bad[i].text, &p));
        ck_assert_msg(strstr(test_err.msg, bad[i].field) != NULL, "%s", test_err.msg);
        ck_assert_str_eq(p.network, "untouched");
    }
    ASSERT_OK(parse_params(PARAMS_JSON("mainnet", COIN_JSON, "0"), &p));
    ck_assert_str_eq(p.network, "my-net");
    ck_assert_str_eq(p.chain_context, "mainnet");
    ck_assert_str_eq(p.address_prefix, "XAI");
    ck_assert_uint_eq(p.genesis_coin_count, 1);
    ck_assert_str_eq(p.genesis_coins[0].address, "TXAI");
    assert_bits(p.genesis_coins[0].amount, 5.0);
    ck_assert_uint_eq(p.genesis_hash[31], 0xab);
    ck_assert(p.max_difficulty == 0 && !p.min_difficulty_after_gap);
}
END_TEST

/* protocol.md 9.1; a network's name says nothing. */
START_TEST(p2p_is_tls_where_the_network_is_no_testnet_unless_its_file_says_otherwise)
{
    struct chain_params p;

    ck_assert(!params_find("testnet")->p2p_tls && params_find("mainnet")->p2p_tls);
    ASSERT_OK(parse_params(PARAMS_JSON("mainnet", "", "0"), &p));
    ck_assert(p.p2p_tls);
    ASSERT_OK(parse_params(PARAMS_JSON("testnet", "", "0"), &p));
    ck_assert(!p.p2p_tls);
    ASSERT_OK(parse_params(PARAMS_JSON("testnet", "", "0,\"p2p_tls\":true"), &p));
    ck_assert(p.p2p_tls);
    ASSERT_OK(parse_params(PARAMS_JSON("mainnet", "", "0,\"p2p_tls\":false"), &p));
    ck_assert(!p.p2p_tls);
}
END_TEST

START_TEST(builtin_networks_have_the_fixture_genesis)
{
    struct lines l = lines_open("chain/blocks.jsonl");
    const struct chain_params *p = testnet();
    const struct json *tx;
    uint8_t hash[32];

    ck_assert(lines_next(&l));
    hash_of(l.v, "hash", hash);
    ck_assert_mem_eq(p->genesis_hash, hash, 32);
    ck_assert_mem_eq(params_find("mainnet")->genesis_hash, hash, 32);
    tx = json_get(l.v, "transactions")->first;
    ck_assert_uint_eq(p->genesis_coin_count, 6);
    for (size_t i = 0; i < 6; i++, tx = tx->next) {
        const struct json *out = json_get(tx, "outputs")->first;

        hash_of(tx, "txid", hash);
        ck_assert_mem_eq(p->genesis_coins[i].at.txid, hash, 32);
        ck_assert_uint_eq(p->genesis_coins[i].at.vout, 0);
        ck_assert_str_eq(p->genesis_coins[i].address, text_of(out, "address"));
        assert_bits(p->genesis_coins[i].amount, double_of(out, "amount"));
    }
    ck_assert_ptr_null(params_find("devnet"));
    while (lines_next(&l))
        continue;
}
END_TEST

START_TEST(an_empty_state_has_the_root_of_nothing)
{
    uint8_t root[32], nothing[32];

    hash_sha256("", 0, nothing);
    unspent_root(NULL, 0, root);
    ck_assert_mem_eq(root, nothing, 32);
}
END_TEST

START_TEST(coins_of_one_transaction_sort_as_text)
{
    struct coin coins[12] = {0};
    uint8_t root[32];

    for (uint32_t i = 0; i < 12; i++)
        coins[i].at.vout = i;
    unspent_root(coins, 12, root);
    ck_assert_uint_eq(coins[1].at.vout, 10); /* "10:" < "11:" < "1:" */
    ck_assert_uint_eq(coins[2].at.vout, 11);
    ck_assert_uint_eq(coins[3].at.vout, 1);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("chain rules");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, amounts_are_truncated_like_stock);
    tcase_add_test(tc, rewards_halve_and_stop_at_the_cap);
    tcase_add_test(tc, sums_are_compared_as_printed);
    tcase_add_test(tc, work_is_that_of_stock);
    tcase_add_test(tc, work_adds_and_subtracts_within_its_bounds);
    tcase_add_test(tc, merkle_roots_are_those_of_stock);
    tcase_add_test(tc, merkle_in_bounded_memory_equals_level_by_level);
    tcase_add_test(tc, addresses_are_derived_like_stock);
    tcase_add_test(tc, addresses_are_judged_like_stock);
    tcase_add_test(tc, addresses_with_space_around_are_what_python_strips);
    tcase_add_test(tc, signatures_are_judged_like_stock);
    tcase_add_test(tc, digests_accept_high_s_and_every_spelling_of_the_key);
    tcase_add_test(tc, keys_are_one_point_however_spelled);
    tcase_add_test(tc, parameters_are_read_strictly);
    tcase_add_test(
        tc, p2p_is_tls_where_the_network_is_no_testnet_unless_its_file_says_otherwise);
    tcase_add_test(tc, builtin_networks_have_the_fixture_genesis);
    tcase_add_test(tc, an_empty_state_has_the_root_of_nothing);
    tcase_add_test(tc, coins_of_one_transaction_sort_as_text);
    suite_add_tcase(s, tc);
    return s;
}
