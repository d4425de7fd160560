#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/coin.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/u128.h"
#include "tests/unit/test.h"

static const u128 xai = 1000000000000000000U;

static void assert_hex(const uint8_t hash[32], const char *want)
{
    char hex[65];

    hex_encode(hash, 32, hex);
    ck_assert_str_eq(hex, want);
}

START_TEST(sha_256_is_one_whoever_reckons_it)
{
    CLEANUP(hasher_free) struct hasher *h = hasher_create();
    uint8_t bytes[300], a[32], b[32];

    hash_sha256("", 0, a);
    assert_hex(a, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_sha256("abc", 3, a);
    assert_hex(a, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        hash_sha256(bytes, len, a);
        hasher_add(h, bytes, len / 3);
        hasher_add(h, bytes + len / 3, len - len / 3);
        hasher_finish(h, b); /* and is ready again */
        ck_assert_mem_eq(a, b, sizeof(a));
    }
}
END_TEST

START_TEST(keccak_has_the_original_padding)
{
    uint8_t hash[32], longest[135];

    hash_keccak256_short("", 0, hash);
    assert_hex(hash,
               "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    hash_keccak256_short("abc", 3, hash);
    assert_hex(hash,
               "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    memset(longest, 'a', sizeof(longest));
    hash_keccak256_short(longest, sizeof(longest), hash);
    assert_hex(hash,
               "34367dc248bbd832f4e3e69dfaac2f92638bd0bbd18f2912ba4ef454919cf446");
}
END_TEST

START_TEST(amounts_are_exact_in_atto)
{
    u128 value;

    ck_assert(u128_from_amount(12.12, &value));
    ck_assert(value == 12 * xai + 119999999999999218U);
    ck_assert(u128_from_amount(0.0, &value) && value == 0);
    ck_assert(u128_from_amount(-0.0, &value) && value == 0);
    ck_assert(u128_from_amount(1e-18, &value) && value == 1);
    ck_assert(u128_from_amount(1e9, &value) && value == 1000000000U * xai);
    ck_assert(u128_from_amount(5e-324, &value) && value == 0);
    ck_assert(!u128_from_amount(nextafter(1e9, 2e9), &value));
    ck_assert(!u128_from_amount(-1e-18, &value));
    ck_assert(!u128_from_amount((double)NAN, &value));
    ck_assert(!u128_from_amount((double)INFINITY, &value));
}
END_TEST

START_TEST(sums_are_written_and_stored)
{
    char text[U128_TEXT + 2];
    uint8_t bytes[16];
    u128 max = ~(u128)0;

    u128_text(max, text);
    ck_assert_str_eq(text, "340282366920938463463374607431768211455");
    u128_text(0, text);
    ck_assert_str_eq(text, "0");
    u128_amount_text(61502176 * xai + 109849066000000000U, text);
    ck_assert_str_eq(text, "61502176.109849066");
    u128_amount_text(12 * xai, text);
    ck_assert_str_eq(text, "12.0");
    u128_amount_text(1, text);
    ck_assert_str_eq(text, "0.000000000000000001");
    u128_amount_text(max, text);
    ck_assert_str_eq(text, "340282366920938463463.374607431768211455");
    u128_store((u128)1 << 64 | 0xff, bytes);
    ck_assert_mem_eq(bytes, "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\xff", 16);
    ck_assert(u128_load(bytes) == ((u128)1 << 64 | 0xff));
    u128_store(max, bytes);
    ck_assert(u128_load(bytes) == max);
}
END_TEST

START_TEST(coins_are_ordered_by_txid_then_number)
{
    struct outpoint a = {.txid = {1}, .vout = 2}, b = a;

    ck_assert_int_eq(outpoint_compare(&a, &b), 0);
    b.vout = 10;
    ck_assert_int_lt(outpoint_compare(&a, &b), 0);
    ck_assert_int_gt(outpoint_compare(&b, &a), 0);
    a.txid[31] = 1;
    ck_assert_int_gt(outpoint_compare(&a, &b), 0);
    b.txid[0] = 0xff; /* bytes are unsigned */
    ck_assert_int_lt(outpoint_compare(&a, &b), 0);
}
END_TEST

START_TEST(an_arena_gives_zeroed_pieces_of_any_size)
{
    struct arena a = {0};
    char *text;

    for (size_t size = 0; size < 600000; size = size * 2 + 1) {
        char *p = arena_alloc(&a, size, 1);

        ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            if (p[i] != 0)
                ck_abort_msg("byte %zu of %zu", i, size);
        memset(p, 0xff, size);
    }
    text = arena_text(&a, "a\0b", 3);
    ck_assert_mem_eq(text, "a\0b", 4);
    ck_assert_str_eq(arena_text(&a, NULL, 0), "");
    arena_fini(&a);
    arena_fini(&a);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("values");
    TCase *tc = tcase_create("core");

    tcase_add_test(tc, sha_256_is_one_whoever_reckons_it);
    tcase_add_test(tc, keccak_has_the_original_padding);
    tcase_add_test(tc, amounts_are_exact_in_atto);
    tcase_add_test(tc, sums_are_written_and_stored);
    tcase_add_test(tc, coins_are_ordered_by_txid_then_number);
    tcase_add_test(tc, an_arena_gives_zeroed_pieces_of_any_size);
    suite_add_tcase(s, tc);
    return s;
}
