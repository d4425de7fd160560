#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

#include "rpc/byterange.h"

/* What is over 2^64 - 1 is that: past every end. */
static bool read_digits(const char **at, uint64_t *out)
{
    const char *p = *at;
    uint64_t n = 0;

    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : 10 * n + digit;
    }
    if (p == *at)
        return false;
    *at = p;
    *out = n;
    return true;
}

/* "-<n>": the last n bytes. */
static enum byterange read_suffix(const char *at, uint64_t size, uint64_t *first,
                                  uint64_t *len)
{
    uint64_t n;

    if (!read_digits(&at, &n) || *at != '\0')
        return BYTERANGE_NONE;
    if (n == 0 || size == 0)
        return BYTERANGE_OUTSIDE;
    *len = n < size ? n : size;
    *first = size - *len;
    return BYTERANGE_PART;
}

enum byterange byterange_read(const char *header, uint64_t size, uint64_t *first,
                              uint64_t *len)
{
    static const char unit[] = "bytes=";
    uint64_t from, last = UINT64_MAX;
    const char *at;

    if (!header || strncasecmp(header, unit, sizeof(unit) - 1) != 0)
        return BYTERANGE_NONE;
    at = header + sizeof(unit) - 1;
    if (*at == '-')
        return read_suffix(at + 1, size, first, len);
    if (!read_digits(&at, &from) || *at++ != '-' ||
        (*at != '\0' && !read_digits(&at, &last)) || *at != '\0' || last < from)
        return BYTERANGE_NONE;
    if (from >= size)
        return BYTERANGE_OUTSIDE;
    *first = from;
    *len = (last < size ? last + 1 : size) - from;
    return BYTERANGE_PART;
}
