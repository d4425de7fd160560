#include <float.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/pyfloat.h"

/* Nobody calls setlocale, so strtod speaks the C locale. */

enum { TEXT_MAX = 17 }; /* sixteen digits and a point */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where a point is, digits before and after it and nothing else. */
static bool has_form(const char *text, size_t len, size_t *whole)
{
    const char *point = memchr(text, '.', len);

    *whole = point ? (size_t)(point - text) : 0;
    if (*whole == 0 || *whole + 1 == len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (i != *whole && !is_digit(text[i]))
            return false;
    return true;
}

/*
 * Any decimal of up to 15 digits is the shortest spelling of its double, when it is
 * spelled as Python does: without needless zeros, and positional from 0.0001 up.
 */
bool pyfloat_is_short(const char *text, size_t len)
{
    size_t whole, first;

    if (len > DBL_DIG + 1 || !has_form(text, len, &whole))
        return false;
    if (text[len - 1] == '0' && len - whole > 2)
        return false;
    if (text[0] != '0')
        return true;
    for (first = whole + 1; first < len && text[first] == '0'; first++)
        continue;
    return whole == 1 && (first < whole + 5 || len == 3);
}

/*
 * Digits up to 2^53 and a power of ten up to 10^16 are exact doubles, so their quotient
 * is rounded once, as it must be.  Anything else is for strtod.
 */
static bool parse_short(const char *text, size_t len, double *out)
{
    static const double power10[] = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                                     1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};
    uint64_t digits = 0;
    size_t decimals = 0;
    bool point = false;

    if (len == 0 || len > TEXT_MAX || FLT_EVAL_METHOD != 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9')
            return false;
        digits = digits * 10 + (uint64_t)(text[i] - '0');
        decimals += point;
    }
    if (digits > (uint64_t)1 << DBL_MANT_DIG)
        return false;
    *out = (double)digits / power10[decimals];
    return true;
}

double pyfloat_parse(const char *text, size_t len)
{
    double value;
    char small[64];
    AUTOFREE char *large = NULL;

    if (parse_short(text, len, &value))
        return value;
    if (len >= sizeof(small)) {
        large = xstrndup(text, len);
        return strtod(large, NULL);
    }
    memcpy(small, text, len);
    small[len] = '\0';
    return strtod(small, NULL);
}
