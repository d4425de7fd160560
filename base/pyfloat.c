#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pyfloat.h"
#include "base/u128.h"

/* Nobody calls setlocale, so printf and strtod speak the C locale. */

enum { DIGITS_MAX = 17, DIGITS_SURE = 15 }; /* DBL_DECIMAL_DIG and DBL_DIG */

struct digits {
    char text[DIGITS_MAX + 3]; /* no zeros at the end, but at least one digit */
    int n;
    int exp; /* decimal exponent of the first digit */
};

/* 5^k for k <= 32: 75 bits. */
static u128 power5(int k)
{
    static const uint64_t five[] = {
        1U,         5U,          25U,         125U,         625U,          3125U,
        15625U,     78125U,      390625U,     1953125U,     9765625U,      48828125U,
        244140625U, 1220703125U, 6103515625U, 30517578125U, 152587890625U,
    };

    return k <= 16 ? five[k] : (u128)five[16] * five[k - 16];
}

static void strip_zeros(struct digits *d)
{
    while (d->n > 1 && d->text[d->n - 1] == '0')
        d->n--;
}

/* The value n / 10^k in digits. */
static void from_integer(uint64_t n, int k, struct digits *out)
{
    char reversed[20];
    int len = 0;

    do {
        reversed[len++] = (char)('0' + (int)(n % 10));
        n /= 10;
    } while (n != 0);
    for (int i = 0; i < len; i++)
        out->text[i] = reversed[len - 1 - i];
    out->n = len;
    out->exp = len - 1 - k;
    strip_zeros(out);
}

/*
 * The nearest decimal with k places to mantissa / 2^shift, in exact integers, if it
 * reads back as the same double: if it is less than half a unit in the last place off.
 * In units of 1 / (5^k * 2^shift), 10^k being 5^k * 2^k.
 */
static bool try_places(uint64_t mantissa, int shift, int k, struct digits *out)
{
    u128 unit = power5(k), scaled = mantissa * unit; /* < 2^128 */
    u128 n, rest, half, off;

    shift -= k;
    n = scaled >> shift;
    rest = scaled - (n << shift);
    half = (u128)1 << (shift - 1);
    if (rest > half || (rest == half && (n & 1)))
        n++;
    off = n << shift > scaled ? (n << shift) - scaled : scaled - (n << shift);
    if (2 * off > unit) /* never equal: unit is odd */
        return false;
    from_integer((uint64_t)n, k, out);
    return true;
}

/* Digits before the point of 1e-16 <= value < 1e15, negative for zeros after it. */
static int whole_digits(double value)
{
    static const double bounds[] = {
        1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6,
        1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,  1e2,  1e3,  1e4,
        1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11, 1e12, 1e13, 1e14};
    int low = 0, high = (int)(sizeof(bounds) / sizeof(bounds[0]));

    while (low < high) {
        int mid = (low + high) / 2;

        if (value >= bounds[mid])
            low = mid + 1;
        else
            high = mid;
    }
    return low - 15;
}

/*
 * Timestamps and nearly all amounts: where all the products fit 128 bits.  Powers of
 * two are left to the general way: their lower neighbour is nearer.
 */
static bool shortest_exact(double value, struct digits *out)
{
    int binary, whole;
    uint64_t mantissa;

    if (!(value >= 1e-16 && value < 1e15))
        return false;
    mantissa = (uint64_t)ldexp(frexp(value, &binary), 53);
    if (mantissa == (uint64_t)1 << 52)
        return false;
    whole = whole_digits(value);
    for (int p = DIGITS_SURE; p <= DIGITS_MAX; p++)
        if (try_places(mantissa, 53 - binary, p - whole, out))
            return true;
    return false;
}

static void round_to(double value, int n, struct digits *out)
{
    char text[DIGITS_MAX + 16];

    (void)snprintf(text, sizeof(text), "%.*e", n - 1, value);
    out->text[0] = text[0];
    if (n > 1)
        memcpy(out->text + 1, text + 2, (size_t)n - 1);
    out->n = n;
    out->exp = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
}

static double digits_value(const struct digits *d)
{
    char text[DIGITS_MAX + 16];

    (void)snprintf(text, sizeof(text), "%.*se%d", d->n, d->text, d->exp - d->n + 1);
    return strtod(text, NULL);
}

/* The next larger number of the same length. */
static void step_up(struct digits *d)
{
    int i = d->n - 1;

    while (i >= 0 && d->text[i] == '9')
        d->text[i--] = '0';
    if (i >= 0) {
        d->text[i]++;
        return;
    }
    d->text[0] = '1';
    d->exp++;
}

/*
 * Fifteen digits give back every decimal of up to fifteen that a normal double came
 * from, so shorter ones need no search there.  Subnormals have fewer digits.  Below a
 * power of two doubles are denser: the nearest n digits may then read back as a
 * neighbour while the next number above reads back well.
 */
static bool try_digits(double value, int n, struct digits *out)
{
    int exp;

    round_to(value, n, out);
    if (digits_value(out) == value)
        return true;
    if (frexp(value, &exp) != 0.5)
        return false;
    step_up(out);
    return digits_value(out) == value;
}

static void shortest_by_printf(double value, struct digits *out)
{
    int n = isnormal(value) ? DIGITS_SURE : 1;

    while (n < DIGITS_MAX && !try_digits(value, n, out))
        n++;
    if (n == DIGITS_MAX)
        round_to(value, n, out);
    strip_zeros(out);
}

static char *put(char *p, const char *text, int n)
{
    memcpy(p, text, (size_t)n);
    return p + n;
}

static char *put_zeros(char *p, int n)
{
    if (n > 0)
        memset(p, '0', (size_t)n);
    return n > 0 ? p + n : p;
}

static char *put_scientific(char *p, const struct digits *d)
{
    *p++ = d->text[0];
    if (d->n > 1) {
        *p++ = '.';
        p = put(p, d->text + 1, d->n - 1);
    }
    p += snprintf(p, sizeof("e-308"), "e%c%02d", d->exp < 0 ? '-' : '+', abs(d->exp));
    return p;
}

static char *put_positional(char *p, const struct digits *d)
{
    int whole = d->exp + 1;

    if (whole <= 0) {
        p = put(p, "0.", 2);
        p = put_zeros(p, -whole);
        return put(p, d->text, d->n);
    }
    if (whole >= d->n) {
        p = put(p, d->text, d->n);
        p = put_zeros(p, whole - d->n);
        return put(p, ".0", 2);
    }
    p = put(p, d->text, whole);
    *p++ = '.';
    return put(p, d->text + whole, d->n - whole);
}

static char *put_finite(char *p, double value)
{
    struct digits d;

    if (!shortest_exact(value, &d))
        shortest_by_printf(value, &d);
    return d.exp >= -4 && d.exp < 16 ? put_positional(p, &d) : put_scientific(p, &d);
}

size_t pyfloat_repr(double value, char out[PYFLOAT_TEXT])
{
    char *p = out;

    if (signbit(value) && !isnan(value))
        *p++ = '-';
    value = fabs(value);
    if (isnan(value))
        p = put(p, "NaN", 3);
    else if (isinf(value))
        p = put(p, "Infinity", 8);
    else if (value == 0.0)
        p = put(p, "0.0", 3);
    else
        p = put_finite(p, value);
    *p = '\0';
    return (size_t)(p - out);
}
