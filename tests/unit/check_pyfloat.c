#include <math.h>

#include "base/pyfloat.h"
#include "base/u128.h"
#include "tests/unit/lines.h"

/* As ck_assert, which is too slow for half a million values. */
#define REQUIRE(condition, value)                         \
    do {                                                  \
        if (!(condition))                                 \
            ck_abort_msg("%.17g: %s", value, #condition); \
    } while (0)

static double value_of(const char *digits, int n, int exp)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%.*se%d", n, digits, exp - n + 1);
    return strtod(text, NULL);
}

/* The digits of a repr, without point, exponent and outer zeros. */
static int digits_of(const char *repr, char out[32])
{
    int n = 0;

    for (const char *p = repr; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && (n > 0 || *p != '0'))
            out[n++] = *p;
    while (n > 1 && out[n - 1] == '0')
        n--;
    return n;
}

/* Neither rounding with one digit less, down or up, reads back as the value. */
static void assert_no_shorter(double value, int n)
{
    char text[64], digits[32];
    int exp, i;

    if (n < 2)
        return;
    (void)snprintf(text, sizeof(text), "%.40e", value);
    exp = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    digits[0] = text[0];
    memcpy(digits + 1, text + 2, (size_t)n);
    REQUIRE(value_of(digits, n - 1, exp) != value, value);
    for (i = n - 2; i >= 0 && digits[i] == '9'; i--)
        digits[i] = '0';
    if (i < 0) {
        digits[0] = '1';
        exp++;
    } else {
        digits[i]++;
    }
    REQUIRE(value_of(digits, n - 1, exp) != value, value);
}

static void assert_shortest(double value)
{
    char repr[PYFLOAT_TEXT], digits[32], rounded[64], again[32];
    size_t len = pyfloat_repr(value, repr);
    double back = pyfloat_parse(repr, len);
    int n = digits_of(repr, digits), exp;

    REQUIRE(len == strlen(repr), value);
    REQUIRE(memcmp(&back, &value, sizeof(back)) == 0, value);
    assert_no_shorter(value, n);
    /* the nearest of its length, unless that one reads back as a neighbour */
    (void)snprintf(rounded, sizeof(rounded), "%.*e", n - 1, value);
    if (strtod(rounded, NULL) == value) {
        REQUIRE(digits_of(rounded, again) == n, value);
        REQUIRE(memcmp(digits, again, (size_t)n) == 0, value);
    } else {
        REQUIRE(frexp(value, &exp) == 0.5, value);
    }
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15U; /* splitmix64 */

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

START_TEST(spells_the_vectors)
{
    size_t n = 0;

    for (struct lines l = lines_open("vectors/float_repr.jsonl"); lines_next(&l); n++) {
        double value = from_bits(text_of(l.v, "bits"));
        char repr[PYFLOAT_TEXT], atto[U128_TEXT], fixed[400], *p;
        u128 exact;

        ck_assert_uint_eq(pyfloat_repr(value, repr), strlen(repr));
        ck_assert_str_eq(repr, text_of(l.v, "repr"));
        if (!u128_from_amount(value, &exact) || signbit(value))
            continue;
        /* "%.18f" without its point is the amount in atto */
        (void)snprintf(fixed, sizeof(fixed), "%s", text_of(l.v, "fixed18"));
        p = strchr(fixed, '.');
        memmove(p, p + 1, strlen(p));
        for (p = fixed; p[0] == '0' && p[1];)
            p++;
        u128_text(exact, atto);
        ck_assert_str_eq(atto, p);
    }
    ck_assert_uint_eq(n, 1994);
}
END_TEST

START_TEST(spells_what_is_no_number)
{
    char repr[PYFLOAT_TEXT];

    ck_assert_uint_eq(pyfloat_repr((double)NAN, repr), 3);
    ck_assert_str_eq(repr, "NaN");
    ck_assert_uint_eq(pyfloat_repr((double)-INFINITY, repr), 9);
    ck_assert_str_eq(repr, "-Infinity");
    ck_assert_uint_eq(pyfloat_repr((double)INFINITY, repr), 8);
    ck_assert_str_eq(repr, "Infinity");
}
END_TEST

START_TEST(is_shortest_for_any_bits)
{
    uint64_t state = 1;

    for (int i = 0; i < 60000; i++) {
        uint64_t bits = next_random(&state);
        double value;

        memcpy(&value, &bits, sizeof(value));
        if (isfinite(value) && value != 0)
            assert_shortest(fabs(value));
    }
}
END_TEST

START_TEST(is_shortest_for_times_and_amounts)
{
    uint64_t state = 2;

    for (int i = 0; i < 60000; i++) {
        double unit = (double)(next_random(&state) >> 11) * 0x1p-53;
        int places = (int)(next_random(&state) % 19);

        assert_shortest(1.7e9 + unit * 1e8);
        assert_shortest(ldexp(1 + unit, (int)(next_random(&state) % 110) - 58));
        assert_shortest(round(unit * pow(10, places) + 1) / pow(10, places));
    }
}
END_TEST

START_TEST(is_shortest_around_powers_of_two)
{
    for (int e = -1074; e < 1024; e++) {
        double value = ldexp(1, e);

        assert_shortest(value);
        assert_shortest(nextafter(value, (double)INFINITY));
        if (e > -1074)
            assert_shortest(nextafter(value, 0));
    }
}
END_TEST

START_TEST(parses_long_decimals)
{
    char text[2000];

    memset(text, '0', sizeof(text));
    memcpy(text, "1.00000000000000011102230246251565404236316680908203125", 55);
    ck_assert(pyfloat_parse(text, sizeof(text)) <= 1.0);
    text[sizeof(text) - 1] = '1';
    ck_assert(pyfloat_parse(text, sizeof(text)) > 1.0);
}
END_TEST

Suite *suite(void);
Suite *suite(void)
{
    Suite *s = suite_create("pyfloat");
    TCase *tc = tcase_create("core");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, spells_the_vectors);
    tcase_add_test(tc, spells_what_is_no_number);
    tcase_add_test(tc, is_shortest_for_any_bits);
    tcase_add_test(tc, is_shortest_for_times_and_amounts);
    tcase_add_test(tc, is_shortest_around_powers_of_two);
    tcase_add_test(tc, parses_long_decimals);
    suite_add_tcase(s, tc);
    return s;
}
