#include <string.h>

#include "base/json_doc.h"

#define ONES UINT64_C(0x0101010101010101)

struct scan {
    const unsigned char *text;
    size_t len, at;
    const char *why;
};

static bool stop(struct scan *s, const char *why)
{
    s->why = why;
    return false;
}

static bool is_tail(const struct scan *s, size_t at)
{
    return at < s->len && (s->text[at] & 0xc0) == 0x80;
}

/* One character above U+007F (RFC 3629, table 3-7 of Unicode). */
static bool scan_utf8(struct scan *s)
{
    const unsigned char *p = s->text + s->at;
    size_t tails = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;

    if (p[0] < 0xc2 || p[0] > 0xf4)
        return stop(s, "not UTF-8");
    for (size_t i = 1; i <= tails; i++)
        if (!is_tail(s, s->at + i))
            return stop(s, "not UTF-8");
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return stop(s, "not UTF-8");
    s->at += tails + 1;
    return true;
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of a \u escape at the backslash at; -1 if it is none. */
static int escape_value(const struct scan *s, size_t at)
{
    int value = 0;

    if (s->len - at < 6 || s->text[at] != '\\' || s->text[at + 1] != 'u')
        return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hex_value(s->text[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Wrong escapes of other kinds are left to the parser. */
static bool scan_escape(struct scan *s)
{
    int value = escape_value(s, s->at), low;

    if (value < 0) {
        s->at += 2;
        return true;
    }
    if (value >= 0xdc00 && value <= 0xdfff)
        return stop(s, "half a surrogate pair");
    if (value < 0xd800 || value > 0xdbff) {
        s->at += 6;
        return true;
    }
    low = s->len - s->at >= 12 ? escape_value(s, s->at + 6) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return stop(s, "half a surrogate pair");
    s->at += 12;
    return true;
}

/* Bit 7 of the bytes of x that are c; of bytes above such a one, too. */
static uint64_t equal_bytes(uint64_t x, unsigned char c)
{
    x ^= ONES * c;
    return (x - ONES) & ~x & ONES * 0x80;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Eight bytes at a time while all are plain. */
size_t json_plain(const char *text, size_t len)
{
    size_t n = 0;

    for (; len - n >= 8; n += 8) {
        uint64_t x, odd;

        memcpy(&x, text + n, 8);
        odd = (x | ((x - ONES * 0x20) & ~x)) & ONES * 0x80;
        if (odd | equal_bytes(x, '"') | equal_bytes(x, '\\') | equal_bytes(x, 0x7f))
            break;
    }
    while (n < len && is_plain((unsigned char)text[n]))
        n++;
    return n;
}

static bool scan_string(struct scan *s)
{
    for (s->at++; s->at < s->len;) {
        unsigned char c;

        s->at += json_plain((const char *)s->text + s->at, s->len - s->at);
        if (s->at == s->len || s->text[s->at] == '"')
            break;
        c = s->text[s->at];

        if (c == '\\' ? !scan_escape(s) : c >= 0x80 && !scan_utf8(s))
            return false;
        if (c != '\\' && c < 0x80)
            s->at++;
    }
    if (s->at >= s->len) /* behind a whole text the parser would not see it */
        return stop(s, "a string without an end");
    s->at++;
    return true;
}

static bool scan(struct scan *s)
{
    while (s->at < s->len) {
        unsigned char c = s->text[s->at];

        if (c == '"') {
            if (!scan_string(s))
                return false;
            continue;
        }
        if (c >= 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t'))
            return stop(s, "not JSON");
        s->at++;
    }
    return true;
}

bool json_scan(const char *text, size_t len, size_t *at, const char **why)
{
    struct scan s = {.text = (const unsigned char *)text, .len = len};

    if (scan(&s))
        return true;
    *at = s.at;
    *why = s.why;
    return false;
}
