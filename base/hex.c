#include <endian.h>
#include <string.h>

#include "base/hex.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Four bytes to eight digits: a nibble to each byte of a word, then all to letters. */
static void encode_four(const uint8_t *bytes, char *out)
{
    uint64_t x = (uint64_t)bytes[0] | (uint64_t)bytes[1] << 16 |
                 (uint64_t)bytes[2] << 32 | (uint64_t)bytes[3] << 48;
    uint64_t over_nine;

    x = (x >> 4 & UINT64_C(0x000f000f000f000f)) | (x & UINT64_C(0x000f000f000f000f))
                                                      << 8;
    over_nine = (x + EACH(6)) >> 4 & EACH(1);
    x = htole64(x + EACH('0') + over_nine * ('a' - '9' - 1));
    memcpy(out, &x, 8);
}

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t i = 0;

    for (; len - i >= 4; i += 4)
        encode_four(bytes + i, out + 2 * i);
    for (; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

/* What a character is worth, one more than that so that 0 is none; upper-case letters
   have UPPER besides. */
enum { UPPER = 32 };
static const uint8_t worth[256] = {
    ['0'] = 1,          ['1'] = 2,          ['2'] = 3,          ['3'] = 4,
    ['4'] = 5,          ['5'] = 6,          ['6'] = 7,          ['7'] = 8,
    ['8'] = 9,          ['9'] = 10,         ['a'] = 11,         ['b'] = 12,
    ['c'] = 13,         ['d'] = 14,         ['e'] = 15,         ['f'] = 16,
    ['A'] = 11 | UPPER, ['B'] = 12 | UPPER, ['C'] = 13 | UPPER, ['D'] = 14 | UPPER,
    ['E'] = 15 | UPPER, ['F'] = 16 | UPPER,
};

/* Eight digits to four bytes: what lower-case ones would be worth, and not 0 unless
   that is how they are spelled. */
static uint64_t decode_four(const char *text, uint8_t *out)
{
    uint64_t x, nibbles, over_nine, spelled;
    uint32_t bytes;

    memcpy(&x, text, 8);
    x = le64toh(x);
    nibbles = (x & EACH(15)) + (x >> 6 & EACH(1)) * 9;
    over_nine = (nibbles + EACH(6)) >> 4 & EACH(1);
    spelled = nibbles + EACH('0') + over_nine * ('a' - '9' - 1);
    spelled = (spelled ^ x) | (nibbles & EACH(0xf0));
    x = (nibbles << 4 | nibbles >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    x |= x >> 8;
    bytes = htole32((uint32_t)((x & 0xffff) | (x >> 16 & 0xffff0000)));
    memcpy(out, &bytes, 4);
    return spelled;
}

static bool decode_each(const char *text, size_t len, bool lower_only, uint8_t *out)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned all = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned hi = worth[p[2 * i]] - 1U, lo = worth[p[2 * i + 1]] - 1U;

        all |= hi | lo;
        out[i] = (uint8_t)(hi << 4 | (lo & 15));
    }
    return all <= (UPPER | 15) && !(lower_only && (all & UPPER));
}

/* Looks at all before it says no: a good text is never left early. */
bool hex_decode(const char *text, size_t len, bool lower_only, uint8_t *out)
{
    uint64_t other = 0;
    size_t i = 0;

    for (; len - i >= 4; i += 4)
        other |= decode_four(text + 2 * i, out + i);
    if (other) /* upper case, or none */
        return decode_each(text, len, lower_only, out);
    return decode_each(text + 2 * i, len - i, lower_only, out + i);
}

bool hex_hash(const char *text, uint8_t out[32])
{
    return strlen(text) == 64 && hex_decode(text, 32, true, out);
}
