#include "sync/snapshot/payload_guard.h"

static const char not_utf8[] = "not UTF-8";
static const char half_pair[] = "half a surrogate pair";
static const char not_json[] = "not JSON";
static const char too_long[] = "a string that is too long";

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *end_token(struct payload_guard *g)
{
    g->token = 0;
    return NULL;
}

static const char *outside(struct payload_guard *g, uint8_t c)
{
    switch (c) {
    case '"':
        g->state = GUARD_STRING;
        return end_token(g);
    case '{':
    case '[':
        if (++g->depth > PAYLOAD_DEPTH_MAX)
            return "nested too deep";
        return end_token(g);
    case '}':
    case ']':
        if (g->depth > 0)
            g->depth--;
        return end_token(g);
    case ',':
    case ':':
    case ' ':
    case '\n':
    case '\r':
    case '\t':
        return end_token(g);
    default:
        break;
    }
    if (c < 0x20 || c >= 0x7f)
        return not_json;
    return ++g->token > PAYLOAD_NUMBER_MAX ? "a number or word that is too long" : NULL;
}

/* First byte of a character above U+007F (RFC 3629). */
static const char *lead(struct payload_guard *g, uint8_t c)
{
    if (c < 0xc2 || c > 0xf4)
        return not_utf8;
    g->utf8_left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    g->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    g->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    g->state = GUARD_UTF8;
    return NULL;
}

static const char *tail(struct payload_guard *g, uint8_t c)
{
    if (c < g->utf8_low || c > g->utf8_high)
        return not_utf8;
    g->utf8_low = 0x80;
    g->utf8_high = 0xbf;
    if (--g->utf8_left == 0)
        g->state = GUARD_STRING;
    return NULL;
}

static const char *in_string(struct payload_guard *g, uint8_t c)
{
    if (c == '\\') {
        g->state = GUARD_ESCAPE;
        return NULL;
    }
    if (g->high_pending)
        return half_pair;
    if (c == '"') {
        g->state = GUARD_OUTSIDE;
        return end_token(g);
    }
    if (c < 0x20)
        return not_json;
    return c < 0x80 ? NULL : lead(g, c);
}

static const char *escape(struct payload_guard *g, uint8_t c)
{
    if (c == 'u') {
        g->state = GUARD_HEX;
        g->hex_left = 4;
        g->hex_value = 0;
        return NULL;
    }
    g->state = GUARD_STRING;
    return g->high_pending ? half_pair : NULL;
}

static const char *hex(struct payload_guard *g, uint8_t c)
{
    int digit = hex_value(c);
    bool is_low, is_high;

    if (digit < 0)
        return not_json;
    g->hex_value = g->hex_value * 16 + (unsigned)digit;
    if (--g->hex_left > 0)
        return NULL;
    is_high = g->hex_value >= 0xd800 && g->hex_value <= 0xdbff;
    is_low = g->hex_value >= 0xdc00 && g->hex_value <= 0xdfff;
    if (is_low != g->high_pending)
        return half_pair;
    g->high_pending = is_high;
    g->state = GUARD_STRING;
    return NULL;
}

static const char *step(struct payload_guard *g, uint8_t c)
{
    if (g->state == GUARD_OUTSIDE)
        return outside(g, c);
    if (++g->token > PAYLOAD_STRING_MAX)
        return too_long;
    switch (g->state) {
    case GUARD_OUTSIDE:
        break;
    case GUARD_STRING:
        return in_string(g, c);
    case GUARD_ESCAPE:
        return escape(g, c);
    case GUARD_HEX:
        return hex(g, c);
    case GUARD_UTF8:
        return tail(g, c);
    }
    return NULL;
}

/* Most of a payload is plain text in strings: how much of it stands at text. */
static size_t plain_run(const struct payload_guard *g, const char *text, size_t len)
{
    size_t n = 0;

    if (g->state != GUARD_STRING || g->high_pending)
        return 0;
    while (n < len && text[n] >= 0x20 && text[n] <= 0x7e && text[n] != '"' &&
           text[n] != '\\')
        n++;
    return n;
}

const char *payload_guard_check(struct payload_guard *g, const char *text, size_t len,
                                size_t *at)
{
    size_t i = 0;

    while (i < len) {
        size_t run = plain_run(g, text + i, len - i);
        const char *why = NULL;

        g->token += run;
        i += run;
        if (g->token > PAYLOAD_STRING_MAX)
            why = too_long;
        else if (i < len)
            why = step(g, (uint8_t)text[i++]);
        if (why) {
            *at = i > 0 ? i - 1 : 0;
            return why;
        }
    }
    return NULL;
}
