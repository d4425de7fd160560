#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/peer/stock.h"
#include "tests/unit/test.h"

#define HASH "000076b76bbe58880991d202600cf71767569e9353bc5408e48abcf8948df726"

static enum errc parse(const char *body, struct stock_tip *out)
{
    return stock_tip_parse(body, strlen(body), out, &test_err);
}

START_TEST(urls_are_those_of_the_stock_api)
{
    AUTOFREE char *block = stock_url_block("http://a:1/api", UINT64_C(262144));
    AUTOFREE char *tip = stock_url_tip("http://a:1/api");

    ck_assert_str_eq(block, "http://a:1/api/blocks/262144");
    ck_assert_str_eq(tip, "http://a:1/api/block/latest?summary=1");
}
END_TEST

START_TEST(a_live_answer_is_read)
{
    FILE *f = fopen(TEST_DATA "/http/14_block_latest_summary_1.body", "r");
    struct stock_tip tip;
    char body[4096], hash[65];
    size_t len;

    ck_assert_ptr_nonnull(f);
    len = fread(body, 1, sizeof(body), f);
    (void)fclose(f);
    ASSERT_OK(stock_tip_parse(body, len, &tip, &test_err));
    hex_encode(tip.hash, 32, hash);
    ck_assert_uint_eq(tip.height, 236);
    ck_assert_str_eq(hash, HASH);
}
END_TEST

START_TEST(the_summary_alone_is_enough)
{
    struct stock_tip tip;

    ASSERT_OK(parse("{\"summary\":{\"height\":0,\"hash\":\"" HASH "\"}}", &tip));
    ck_assert_uint_eq(tip.height, 0);
    ASSERT_OK(parse("{\"summary\":{\"height\":9007199254740991,\"hash\":\"" HASH "\"}}",
                    &tip));
    ck_assert_uint_eq(tip.height, 9007199254740991);
}
END_TEST

START_TEST(everything_else_is_a_bad_answer)
{
    static const struct {
        const char *body, *text;
    } bad[] = {
        {"", ""},
        {"<html>", ""},
        {"[]", "height"},
        {"null", "height"},
        {"{}", "height"},
        {"{\"summary\":[]}", "height"},
        {"{\"summary\":{\"hash\":\"" HASH "\"}}", "height"},
        {"{\"summary\":{\"height\":-1,\"hash\":\"" HASH "\"}}", "height"},
        {"{\"summary\":{\"height\":1.0,\"hash\":\"" HASH "\"}}", "height"},
        {"{\"summary\":{\"height\":\"1\",\"hash\":\"" HASH "\"}}", "height"},
        {"{\"summary\":{\"height\":9007199254740992,\"hash\":\"" HASH "\"}}", "height"},
        {"{\"summary\":{\"height\":1e3,\"hash\":\"" HASH "\"}}", "height"},
        {"{\"summary\":{\"height\":99999999999999999999999,\"hash\":\"" HASH "\"}}",
         "height"},
        {"{\"summary\":{\"height\":1}}", "hash"},
        {"{\"summary\":{\"height\":1,\"hash\":null}}", "hash"},
        {"{\"summary\":{\"height\":1,\"hash\":\"00\"}}", "hash"},
        {"{\"summary\":{\"height\":1,\"hash\":\"" HASH "0\"}}", "hash"},
        {"{\"summary\":{\"height\":1,\"hash\":"
         "\"000076B76bbe58880991d202600cf71767569e9353bc5408e48abcf8948df726\"}}",
         "hash"},
        {"{\"block_number\":2,\"summary\":{\"height\":1,\"hash\":\"" HASH "\"}}",
         "block_number"},
        {"{\"block_number\":null,\"summary\":{\"height\":1,\"hash\":\"" HASH "\"}}",
         "block_number"},
        {"{\"hash\":\"100076b76bbe58880991d202600cf71767569e9353bc5408e48abcf8948df726\","
         "\"summary\":{\"height\":1,\"hash\":\"" HASH "\"}}",
         "differ"},
        {"{\"summary\":{\"height\":1,\"hash\":\"" HASH "\"}} x", ""},
        {"{\"summary\":{\"height\":1,\"height\":2,\"hash\":\"" HASH "\"}}", ""},
    };
    struct stock_tip tip = {.height = 77};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(parse(bad[i].body, &tip) == ERR_NET, "%s", bad[i].body);
        ck_assert_int_eq(test_err.reason, REASON_PEER_BAD_ANSWER);
        ck_assert_msg(strstr(test_err.msg, bad[i].text) != NULL, "%s: %s", bad[i].body,
                      test_err.msg);
    }
    ck_assert_uint_eq(tip.height, 77);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("stock");
    TCase *tc = tcase_create("core");

    tcase_add_test(tc, urls_are_those_of_the_stock_api);
    tcase_add_test(tc, a_live_answer_is_read);
    tcase_add_test(tc, the_summary_alone_is_enough);
    tcase_add_test(tc, everything_else_is_a_bad_answer);
    suite_add_tcase(s, tc);
    return s;
}
