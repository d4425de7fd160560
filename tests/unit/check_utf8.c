#include "store/utf8.h"
#include "tests/unit/test.h"

/* Every text of up to three bytes, and four where it matters, against a plain decoder.
 */

static bool decodes(const unsigned char *p, size_t len)
{
    static const uint32_t least[] = {0, 1, 0x80, 0x800, 0x10000};

    for (size_t i = 0; i < len;) {
        size_t n = p[i] < 0x80 ? 1 : p[i] >> 5 == 6 ? 2 : p[i] >> 4 == 14 ? 3 : 4;
        uint32_t c = n == 1 ? p[i] : p[i] & (0x7fU >> n);

        if (n == 4 && p[i] >> 3 != 30)
            return false;
        for (size_t k = 1; k < n; k++) {
            if (i + k >= len || p[i + k] >> 6 != 2)
                return false;
            c = c << 6 | (p[i + k] & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return false;
        i += n;
    }
    return true;
}

START_TEST(what_decodes_is_valid_and_nothing_else)
{
    for (uint32_t v = 0; v < 1U << 24; v++) {
        const unsigned char text[4] = {(unsigned char)(v >> 16),
                                       (unsigned char)(v >> 8), (unsigned char)v, 0xbf};

        if (utf8_valid((const char *)text, 3) != decodes(text, 3) ||
            utf8_valid((const char *)text, 4) != decodes(text, 4) ||
            utf8_valid((const char *)text + 2, 1) != decodes(text + 2, 1))
            ck_abort_msg("%06x", v);
    }
    ck_assert(utf8_valid("", 0));
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("utf8");
    TCase *t = tcase_create("utf8");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_decodes_is_valid_and_nothing_else);
    suite_add_tcase(s, t);
    return s;
}
