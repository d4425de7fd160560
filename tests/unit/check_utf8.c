#include "store/utf8.h"
#include "tests/unit/test.h"

static size_t encode(uint32_t c, char out[4])
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint32_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(marks[n] | c);
    return n;
}

START_TEST(every_character_is_valid_but_nul_and_surrogates)
{
    for (uint32_t c = 0; c <= 0x110000; c++) {
        bool want = c > 0 && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        char text[4];
        size_t n = encode(c, text);

        if (utf8_valid(text, n) != want)
            ck_abort_msg("U+%04X", c);
        if (n > 1 && utf8_valid(text, n - 1))
            ck_abort_msg("U+%04X cut", c);
    }
    ck_assert(utf8_valid("", 0));
}
END_TEST

/* As many as there are ways to fill three bytes with characters: so nothing else is. */
START_TEST(nothing_else_is_valid)
{
    const uint32_t one = 0x7f, two = 0x800 - 0x80, three = 0x10000 - 0x800 - 0x800;
    uint32_t valid = 0;

    for (uint32_t v = 0; v < 1U << 24; v++) {
        const char text[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};

        valid += utf8_valid(text, 3);
    }
    ck_assert_uint_eq(valid, one * one * one + 2 * one * two + three);
    ck_assert(!utf8_valid("\xf0\x8f\xbf\xbf", 4)); /* too long a form */
    ck_assert(!utf8_valid("\xf5\x80\x80\x80", 4));
    ck_assert(!utf8_valid("\xf1\x80\x80\x7f", 4));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("utf8");
    TCase *t = tcase_create("utf8");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_character_is_valid_but_nul_and_surrogates);
    tcase_add_test(t, nothing_else_is_valid);
    suite_add_tcase(s, t);
    return s;
}
