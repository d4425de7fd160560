#include <sodium.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/chain/params.h"
#include "sync/peer/hello.h"
#include "sync/peer/signed.h"
#include "tests/unit/lines.h"

/* tests/data/peer/hello.json: by another Ed25519, with the seed 00 01 02 ... 1f. */
static char *answer;
static size_t answer_len;
static uint8_t nonce[32], public[32], secret[64];

static void setup(void)
{
    uint8_t seed[32];
    FILE *f = fopen(TEST_DATA "/peer/hello.json", "r");
    size_t cap = 0;
    ssize_t len;

    ck_assert_ptr_nonnull(f);
    len = getline(&answer, &cap, f);
    ck_assert_int_gt(len, 0);
    answer_len = (size_t)len;
    (void)fclose(f);
    memset(nonce, 0xab, sizeof(nonce));
    for (size_t i = 0; i < 32; i++)
        seed[i] = (uint8_t)i;
    ck_assert_int_ge(sodium_init(), 0);
    (void)crypto_sign_seed_keypair(public, secret, seed);
}

static void teardown(void)
{
    free(TAKE(answer));
}

static struct hello example(void)
{
    struct hello h = {
        .network = "testnet",
        .software = "cairn/0.1.0",
        .has_tip = true,
        .tip_height = 240,
        .has_headers = true,
        .has_blocks = true,
        .blocks_from = 201,
    };

    memcpy(h.genesis, params_find("testnet")->genesis_hash, 32);
    memcpy(h.identity, public, 32);
    memset(h.tip_hash, 0x0c, 32);
    ck_assert(work_parse("18446744073709551616", &h.tip_work));
    return h;
}

/* A body, signed with the key of the seed, read as the answer to nonce. */
static enum errc read_signed(const char *body, struct hello *out)
{
    CLEANUP_BUF struct buf message = BUF(10000), text = BUF(10000);
    uint8_t signature[64];

    signed_message("hello", body, strlen(body), &message);
    (void)crypto_sign_detached(signature, NULL, (const uint8_t *)message.data,
                               message.len, secret);
    signed_write("hello", body, strlen(body), signature, &text);
    return hello_read(text.data, text.len, nonce, out, &test_err);
}

static void assert_refused(enum errc rc, const char *what)
{
    ck_assert_int_eq(rc, ERR_NET);
    ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
    ck_assert_msg(strstr(test_err.msg, what) != NULL, "%s: %s", what, test_err.msg);
}

START_TEST(it_is_written_as_another_wrote_it)
{
    CLEANUP_BUF struct buf body = BUF(10000), message = BUF(10000), text = BUF(10000);
    struct hello h = example();
    uint8_t signature[64];

    hello_write(&h, nonce, &body);
    signed_message("hello", body.data, body.len, &message);
    (void)crypto_sign_detached(signature, NULL, (const uint8_t *)message.data,
                               message.len, secret);
    signed_write("hello", body.data, body.len, signature, &text);
    ck_assert_str_eq(text.data, answer);
}
END_TEST

START_TEST(it_is_read_back)
{
    struct hello want = example(), got;

    ASSERT_OK(hello_read(answer, answer_len, nonce, &got, &test_err));
    ck_assert_str_eq(got.network, "testnet");
    ck_assert_str_eq(got.software, "cairn/0.1.0");
    ck_assert_mem_eq(got.genesis, want.genesis, 32);
    ck_assert_mem_eq(got.identity, public, 32);
    ck_assert(got.has_tip && got.tip_height == 240);
    ck_assert_mem_eq(got.tip_hash, want.tip_hash, 32);
    ck_assert_mem_eq(&got.tip_work, &want.tip_work, sizeof(got.tip_work));
    ck_assert(got.has_headers && got.headers_from == 0);
    ck_assert(got.has_blocks && got.blocks_from == 201);
}
END_TEST

START_TEST(who_has_nothing_yet_says_so)
{
    CLEANUP_BUF struct buf body = BUF(10000);
    struct hello h = example(), got;

    h.has_tip = h.has_headers = h.has_blocks = false;
    hello_write(&h, nonce, &body);
    ASSERT_OK(read_signed(body.data, &got));
    ck_assert(!got.has_tip && !got.has_headers && !got.has_blocks);
}
END_TEST

START_TEST(an_altered_one_is_refused)
{
    struct hello got;

    for (size_t i = 0; i < answer_len - 1; i++) { /* all but the line's end */
        answer[i] = (char)(answer[i] ^ 1);
        ck_assert_msg(hello_read(answer, answer_len, nonce, &got, &test_err) == ERR_NET,
                      "byte %zu", i);
        ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
        answer[i] = (char)(answer[i] ^ 1);
    }
}
END_TEST

START_TEST(a_recording_is_refused)
{
    struct hello got;

    nonce[31] ^= 1;
    assert_refused(hello_read(answer, answer_len, nonce, &got, &test_err),
                   "not the answer to our nonce");
}
END_TEST

START_TEST(the_purpose_is_signed_too)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json_limits limits = {10000, 100, 10};
    const struct json *body;
    uint8_t key[32];
    AUTOFREE char *other = xasprintf("{\"other%s", answer + strlen("{\"hello"));

    assert_refused(signed_read("other", other, strlen(other), &limits, &doc, &body, key,
                               &test_err),
                   "the signature is not that of its identity");
    assert_refused(
        signed_read("other", answer, answer_len, &limits, &doc, &body, key, &test_err),
        "no signature or no identity");
}
END_TEST

/* The example with a piece of it exchanged. */
static void assert_odd(const char *piece, const char *with, const char *what)
{
    CLEANUP_BUF struct buf body = BUF(10000), odd = BUF(10000);
    struct hello h = example();
    const char *at;

    hello_write(&h, nonce, &body);
    at = strstr(body.data, piece);
    ck_assert_msg(at != NULL, "%s", piece);
    buf_put(&odd, body.data, (size_t)(at - body.data));
    buf_puts(&odd, with);
    buf_puts(&odd, at + strlen(piece));
    assert_refused(read_signed(odd.data, &h), what);
}

START_TEST(odd_members_are_refused)
{
    assert_odd("\"testnet\"", "\"\"", "no network");
    assert_odd("\"testnet\"", "\"0123456789012345678901234567890123456789\"",
               "no network");
    assert_odd("\"genesis\":\"0", "\"genesis\":\"g", "no genesis");
    assert_odd("\"cairn/0.1.0\"", "\"a\\u0007\"", "software");
    assert_odd("\"height\":240", "\"height\":-1", "tip has no height");
    assert_odd("\"height\":240", "\"height\":2.0", "tip has no height");
    assert_odd("\"18446744073709551616\"", "5", "tip has no height, hash and work");
    assert_odd("\"headers_from\":0", "\"headers_from\":\"0\"", "headers_from");
    assert_odd("\"blocks_from\":201", "\"blocks_from\":1e400", "hello: ");
    assert_odd("\"blocks_from\":201,", "", "blocks_from is no height");
    assert_odd("\"tip\":{", "\"tap\":{", "tip");
    assert_odd("\"identity\"", "\"identitx\"", "no identity");
    assert_odd(":{\"hash\"", ": {\"hash\"", "not that of its identity");
}
END_TEST

START_TEST(a_long_one_is_not_read)
{
    AUTOFREE char *text = xcalloc(1, 5000);
    struct hello got;

    memset(text, ' ', 4999);
    assert_refused(hello_read(text, 4999, nonce, &got, &test_err), "hello: ");
}
END_TEST

START_TEST(it_is_asked_for_with_a_nonce)
{
    AUTOFREE char *url = hello_url("http://h:1", nonce);

    ck_assert_str_eq(url, "http://h:1/peer/v1/hello?nonce="
                          "abababababababababababababababab"
                          "abababababababababababababababab");
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("hello");
    TCase *t = tcase_create("hello");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, it_is_written_as_another_wrote_it);
    tcase_add_test(t, it_is_read_back);
    tcase_add_test(t, who_has_nothing_yet_says_so);
    tcase_add_test(t, an_altered_one_is_refused);
    tcase_add_test(t, a_recording_is_refused);
    tcase_add_test(t, the_purpose_is_signed_too);
    tcase_add_test(t, odd_members_are_refused);
    tcase_add_test(t, a_long_one_is_not_read);
    tcase_add_test(t, it_is_asked_for_with_a_nonce);
    suite_add_tcase(s, t);
    return s;
}
