#include <stdio.h>
#include <string.h>

#include "base/u128.h"

bool u128_from_amount(double value, u128 *out)
{
    const uint64_t five18 = 3814697265625U; /* 5^18; 10^18 is that times 2^18 */
    uint64_t bits, mantissa;
    u128 scaled, half, rest;
    unsigned exponent, shift;

    if (!(value >= 0.0 && value <= 1e9)) /* NaN too */
        return false;
    memcpy(&bits, &value, sizeof(bits));
    exponent = (unsigned)(bits >> 52) & 0x7ff;
    mantissa = (bits & 0xfffffffffffff) | (uint64_t)1 << 52;
    /* value = mantissa * 2^(exponent - 1075); 1e9 keeps the shift above 0 */
    shift = 1075 - 18 - exponent;
    if (shift >= 96) { /* the product is below 2^95: less than half an atto */
        *out = 0;
        return true;
    }
    scaled = (u128)mantissa * five18;
    half = (u128)1 << (shift - 1);
    rest = scaled & ((half << 1) - 1);
    scaled >>= shift;
    if (rest > half || (rest == half && (scaled & 1)))
        scaled++;
    *out = scaled;
    return true;
}

void u128_text(u128 value, char out[U128_TEXT])
{
    char digits[U128_TEXT];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = '\0';
}

bool u128_parse(const char *decimal, u128 *out)
{
    const u128 max = ~(u128)0;
    u128 value = 0;

    if (decimal[0] == '\0' || (decimal[0] == '0' && decimal[1] != '\0'))
        return false;
    for (const char *p = decimal; *p; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (digit > 9 || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

void u128_amount_text(u128 atto, char out[U128_TEXT + 2])
{
    const u128 one = (u128)1000000000000000000U;
    char whole[U128_TEXT], frac[20];
    size_t n = 18;

    u128_text(atto / one, whole);
    (void)snprintf(frac, sizeof(frac), "%018llu", (unsigned long long)(atto % one));
    while (n > 1 && frac[n - 1] == '0')
        n--;
    frac[n] = '\0';
    (void)snprintf(out, U128_TEXT + 2, "%.21s.%s", whole, frac);
}

void u128_store(u128 value, uint8_t out[16])
{
    for (size_t i = 16; i-- > 0; value >>= 8)
        out[i] = (uint8_t)value;
}

u128 u128_load(const uint8_t in[16])
{
    u128 value = 0;

    for (size_t i = 0; i < 16; i++)
        value = value << 8 | in[i];
    return value;
}
