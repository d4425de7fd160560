#include <string.h>

#include "base/hex.h"

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static int digit(char c, bool lower_only)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (!lower_only && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, size_t len, bool lower_only, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        int hi = digit(text[2 * i], lower_only);
        int lo = hi < 0 ? -1 : digit(text[2 * i + 1], lower_only);

        if (lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

bool hex_hash(const char *text, uint8_t out[32])
{
    return strlen(text) == 64 && hex_decode(text, 32, true, out);
}
