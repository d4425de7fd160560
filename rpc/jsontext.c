#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/jsontext.h"

struct scan {
    const char *start, *p, *end;
    unsigned depth;
    const char *wrong; /* what is, once something is */
};

static bool scan_value(struct scan *s);

static bool fail(struct scan *s, const char *what)
{
    if (!s->wrong)
        s->wrong = what;
    return false;
}

static bool one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

static void scan_space(struct scan *s)
{
    while (s->p < s->end && one_of(*s->p, " \t\r\n"))
        s->p++;
}

static bool at(const struct scan *s, char c)
{
    return s->p < s->end && *s->p == c;
}

/* Code point of four hex digits; -1 if they are not. */
static int hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];

        value *= 16;
        if (c >= '0' && c <= '9')
            value += c - '0';
        else if (c >= 'a' && c <= 'f')
            value += c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            value += c - 'A' + 10;
        else
            return -1;
    }
    return value;
}

static bool is_high(int u)
{
    return u >= 0xd800 && u <= 0xdbff;
}

static bool is_low(int u)
{
    return u >= 0xdc00 && u <= 0xdfff;
}

/* After "\u". */
static bool scan_unicode(struct scan *s)
{
    int u = hex4(s->p, s->end), low;

    if (u < 0)
        return fail(s, "bad \\u escape");
    if (u == 0)
        return fail(s, "NUL in a string");
    s->p += 4;
    if (is_low(u))
        return fail(s, "lone surrogate");
    if (!is_high(u))
        return true;
    low = s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u'
              ? hex4(s->p + 2, s->end)
              : -1;
    if (!is_low(low))
        return fail(s, "lone surrogate");
    s->p += 6;
    return true;
}

static bool scan_escape(struct scan *s)
{
    s->p++; /* the backslash */
    if (s->p == s->end)
        return fail(s, "unended string");
    if (*s->p == 'u') {
        s->p++;
        return scan_unicode(s);
    }
    if (!one_of(*s->p, "\"\\/bfnrt"))
        return fail(s, "bad escape");
    s->p++;
    return true;
}

/* One character of two to four bytes: shortest form, no surrogate, not past U+10FFFF.
 */
static bool scan_utf8(struct scan *s)
{
    const uint8_t *u = (const uint8_t *)s->p;
    size_t left = (size_t)(s->end - s->p), n;
    uint32_t code, least;

    if (u[0] >= 0xc2 && u[0] <= 0xdf)
        n = 2, code = u[0] & 0x1fU, least = 0x80;
    else if (u[0] >= 0xe0 && u[0] <= 0xef)
        n = 3, code = u[0] & 0x0fU, least = 0x800;
    else if (u[0] >= 0xf0 && u[0] <= 0xf4)
        n = 4, code = u[0] & 0x07U, least = 0x10000;
    else
        return fail(s, "invalid UTF-8");
    for (size_t i = 1; i < n; i++) {
        if (i >= left || (u[i] & 0xc0) != 0x80)
            return fail(s, "invalid UTF-8");
        code = code << 6 | (u[i] & 0x3fU);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return fail(s, "invalid UTF-8");
    s->p += n;
    return true;
}

static bool scan_string(struct scan *s)
{
    s->p++; /* the quote */
    while (s->p < s->end) {
        uint8_t c = (uint8_t)*s->p;
        bool ok = true;

        if (c == '"') {
            s->p++;
            return true;
        }
        if (c < 0x20)
            return fail(s, "control character in a string");
        if (c == '\\')
            ok = scan_escape(s);
        else if (c >= 0x80)
            ok = scan_utf8(s);
        else
            s->p++;
        if (!ok)
            return false;
    }
    return fail(s, "unended string");
}

static bool scan_digits(struct scan *s)
{
    const char *first = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > first || fail(s, "bad value or number");
}

static bool scan_number(struct scan *s)
{
    if (at(s, '-'))
        s->p++;
    if (at(s, '0'))
        s->p++;
    else if (!scan_digits(s))
        return false;
    if (at(s, '.')) {
        s->p++;
        if (!scan_digits(s))
            return false;
    }
    if (at(s, 'e') || at(s, 'E')) {
        s->p++;
        if (at(s, '+') || at(s, '-'))
            s->p++;
        return scan_digits(s);
    }
    return true;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return fail(s, "unknown word");
    s->p += len;
    return true;
}

static bool scan_name(struct scan *s)
{
    if (!at(s, '"'))
        return fail(s, "member name expected");
    if (!scan_string(s))
        return false;
    scan_space(s);
    if (!at(s, ':'))
        return fail(s, "':' expected");
    s->p++;
    return true;
}

/* Array or object, from its opening bracket. */
static bool scan_items(struct scan *s, char close)
{
    bool more = true;

    if (s->depth-- == 0)
        return fail(s, "nested too deep");
    s->p++;
    scan_space(s);
    if (at(s, close))
        more = false;
    while (more) {
        scan_space(s);
        if ((close == '}' && !scan_name(s)) || !scan_value(s))
            return false;
        more = at(s, ',');
        if (more)
            s->p++;
        else if (!at(s, close))
            return fail(s, "',' or end expected");
    }
    s->p++;
    s->depth++;
    return true;
}

/* Any value and the space around it. */
static bool scan_value(struct scan *s)
{
    bool ok;

    scan_space(s);
    if (s->p == s->end)
        return fail(s, "value expected");
    switch (*s->p) {
    case '{':
        ok = scan_items(s, '}');
        break;
    case '[':
        ok = scan_items(s, ']');
        break;
    case '"':
        ok = scan_string(s);
        break;
    case 't':
        ok = scan_word(s, "true");
        break;
    case 'f':
        ok = scan_word(s, "false");
        break;
    case 'n':
        ok = scan_word(s, "null");
        break;
    default:
        ok = scan_number(s);
    }
    if (ok)
        scan_space(s);
    return ok;
}

char *jsontext_clean(const char *text)
{
    size_t len = strlen(text);
    char *copy = xstrdup(text);
    struct scan s = {.p = copy, .end = copy + len};

    while (s.p < s.end) {
        if ((uint8_t)*s.p < 0x80)
            s.p++;
        else if (!scan_utf8(&s))
            copy[s.p++ - copy] = '?';
    }
    return copy;
}

enum errc jsontext_check(const char *text, size_t len, unsigned max_depth,
                         struct err *err)
{
    struct scan s = {.start = text, .p = text, .end = text + len, .depth = max_depth};

    if (scan_value(&s) && s.p != s.end)
        fail(&s, "bytes after the value");
    if (s.wrong)
        return err_set(err, ERR_INVALID, "byte %zu: %s", (size_t)(s.p - s.start),
                       s.wrong);
    return ERR_OK;
}

const char *jsontext_skip(const char *text, const char *end)
{
    struct scan s = {.p = text, .end = end, .depth = ~0U};

    scan_value(&s);
    return s.p;
}

const char *jsontext_skip_space(const char *text, const char *end)
{
    struct scan s = {.p = text, .end = end};

    scan_space(&s);
    return s.p;
}
