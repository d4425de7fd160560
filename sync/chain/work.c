#include <math.h>
#include <string.h>

#include "sync/chain/work.h"

struct work work_of_block(uint32_t difficulty)
{
    struct work w = {0};
    uint32_t digits = difficulty < 64 ? difficulty : 64;

    memset(w.be + WORK_BYTES - digits / 2, 0xff, digits / 2);
    if (digits % 2 == 1)
        w.be[WORK_BYTES - 1 - digits / 2] = 0x0f;
    return w;
}

struct work work_add(struct work a, struct work b)
{
    unsigned carry = 0;

    for (size_t i = WORK_BYTES; i-- > 0;) {
        carry += (unsigned)a.be[i] + b.be[i];
        a.be[i] = (uint8_t)carry;
        carry >>= 8;
    }
    if (carry != 0)
        memset(a.be, 0xff, sizeof(a.be));
    return a;
}

struct work work_sub(struct work a, struct work b)
{
    int borrow = 0;

    for (size_t i = WORK_BYTES; i-- > 0;) {
        int digit = a.be[i] - b.be[i] - borrow;

        borrow = digit < 0;
        a.be[i] = (uint8_t)digit;
    }
    if (borrow != 0)
        memset(a.be, 0, sizeof(a.be));
    return a;
}

int work_compare(const struct work *a, const struct work *b)
{
    int order = memcmp(a->be, b->be, sizeof(a->be));

    return (order > 0) - (order < 0);
}

bool work_is_zero(const struct work *w)
{
    static const struct work zero;

    return memcmp(w, &zero, sizeof(zero)) == 0;
}

/* w /= 10; returns the remainder. */
static unsigned divide_by_ten(struct work *w)
{
    unsigned rest = 0;

    for (size_t i = 0; i < WORK_BYTES; i++) {
        rest = rest << 8 | w->be[i];
        w->be[i] = (uint8_t)(rest / 10);
        rest %= 10;
    }
    return rest;
}

void work_text(const struct work *w, char out[WORK_TEXT])
{
    struct work rest = *w;
    char reversed[WORK_TEXT];
    size_t n = 0;

    do {
        reversed[n++] = (char)('0' + divide_by_ten(&rest));
    } while (!work_is_zero(&rest));
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    out[n] = '\0';
}

/* w = w * 10 + digit; false on overflow. */
static bool shift_in(struct work *w, unsigned digit)
{
    for (size_t i = WORK_BYTES; i-- > 0;) {
        digit += w->be[i] * 10U;
        w->be[i] = (uint8_t)digit;
        digit >>= 8;
    }
    return digit == 0;
}

bool work_parse(const char *decimal, struct work *out)
{
    struct work w = {0};

    if (decimal[0] == '\0' || (decimal[0] == '0' && decimal[1] != '\0'))
        return false;
    for (const char *p = decimal; *p; p++)
        if (*p < '0' || *p > '9' || !shift_in(&w, (unsigned)(*p - '0')))
            return false;
    *out = w;
    return true;
}

double work_double(const struct work *w)
{
    double value = 0;

    for (size_t i = 0; i < WORK_BYTES; i++)
        value = value * 256 + w->be[i];
    return value;
}
