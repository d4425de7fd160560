#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pyfloat.h"
#include "sync/chain/amount.h"

enum { DECIMALS = 18 };
static const double AMOUNT_MAX = 121000000.0;

/* The digits of a repr, and the decimal exponent of the first. */
static size_t digits_of(const char *repr, char digits[PYFLOAT_TEXT], int *exp)
{
    const char *e = strchr(repr, 'e');
    int before_point = 0;
    bool point = false;
    size_t n = 0;

    for (const char *p = repr; *p && p != e; p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        before_point += !point;
        digits[n++] = *p;
    }
    *exp = before_point - 1 + (e ? (int)strtol(e + 1, NULL, 10) : 0);
    return n;
}

/* From 0.01 up the 17 digits of a double end before the 19th decimal. */
static double truncate_decimals(double value)
{
    char repr[PYFLOAT_TEXT], digits[PYFLOAT_TEXT], text[2 * PYFLOAT_TEXT];
    size_t n;
    int exp, keep;

    if (value >= 0.01)
        return value;
    (void)pyfloat_repr(value, repr);
    n = digits_of(repr, digits, &exp);
    keep = exp + 1 + DECIMALS;
    if (keep >= (int)n)
        return value;
    if (keep <= 0)
        return 0.0;
    return pyfloat_parse(
        text, (size_t)snprintf(text, sizeof(text), "%.*se%d", keep, digits, -DECIMALS));
}

static bool is_in_range(double value)
{
    return isfinite(value) && value >= 0.0 && value <= AMOUNT_MAX;
}

bool amount_normalise(double value, double *out)
{
    if (!is_in_range(value))
        return false;
    *out = truncate_decimals(value);
    return true;
}

/* Its text tells: there is nothing to truncate behind "0." and 18 digits. */
static bool is_short(const struct json *v)
{
    return v->type == JSON_FLOAT && v->len <= 2 + DECIMALS &&
           !memchr(v->text, 'e', v->len);
}

bool amount_read(const struct json *v, double *out)
{
    double value;

    if (!json_double(v, &value))
        return false;
    if (!is_short(v))
        return amount_normalise(value, out);
    if (!is_in_range(value))
        return false;
    *out = value;
    return true;
}
