#include <string.h>

#include "rpc/public_number.h"

enum { DIGITS = 19 };

bool public_number_height(const char *text, uint64_t *out)
{
    size_t len = text ? strlen(text) : 0;
    uint64_t n = 0;

    if (len < 1 || len > DIGITS || strspn(text, "0123456789") != len)
        return false;
    for (; *text; text++)
        n = n * 10 + (uint64_t)(*text - '0');
    if (n > INT64_MAX)
        return false;
    *out = n;
    return true;
}

bool public_number_int(const char *text, int64_t *out)
{
    bool minus = text && *text == '-';
    uint64_t n;

    if (!text)
        return false;
    text += *text == '-' || *text == '+';
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    text += strspn(text, "0");
    if (!public_number_height(*text ? text : "0", &n))
        n = INT64_MAX;
    *out = minus ? -(int64_t)n : (int64_t)n;
    return true;
}
