#include <stdint.h>

#include "store/utf8.h"

/* By the first byte: the bounds of the second, and the length.  What is missing is too
   long a form, a surrogate, over U+10FFFF, or NUL. */
static const struct lead {
    uint8_t first, last, low, high;
    uint8_t len;
} leads[] = {
    {0x01, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct lead *find_lead(uint8_t byte)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    return NULL;
}

bool utf8_valid(const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;

    for (size_t i = 0; i < len;) {
        const struct lead *lead = find_lead(p[i]);

        if (!lead || lead->len > len - i)
            return false;
        if (lead->len > 1 && (p[i + 1] < lead->low || p[i + 1] > lead->high))
            return false;
        for (size_t k = 2; k < lead->len; k++)
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
        i += lead->len;
    }
    return true;
}
