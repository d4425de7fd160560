#include <stdint.h>

#include "store/utf8.h"

/* Length of the sequence at p, 0 if there is none; low and high bound its second byte.
 */
static size_t sequence(uint8_t lead, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (lead >= 0x01 && lead <= 0x7f)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (lead == 0xe0)
            *low = 0xa0; /* below: too long a form */
        if (lead == 0xed)
            *high = 0x9f; /* above: surrogates */
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (lead == 0xf0)
            *low = 0x90;
        if (lead == 0xf4)
            *high = 0x8f; /* above: over U+10FFFF */
        return 4;
    }
    return 0;
}

bool utf8_valid(const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;

    for (size_t i = 0; i < len;) {
        uint8_t low, high;
        size_t n = sequence(p[i], &low, &high);

        if (n == 0 || n > len - i)
            return false;
        if (n > 1 && (p[i + 1] < low || p[i + 1] > high))
            return false;
        for (size_t k = 2; k < n; k++)
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
        i += n;
    }
    return true;
}
