#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
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

static void scan_space(struct scan *s)
{
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
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
    if (!memchr("\"\\/bfnrt", *s->p, 8))
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

struct span jsontext_trim(struct span text)
{
    while (text.len > 0 && memchr(" \t\r\n", text.at[0], 4)) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && memchr(" \t\r\n", text.at[text.len - 1], 4))
        text.len--;
    return text;
}

/* One ASCII character of a checked string, unescaped; -1 for every other one. */
static int next_ascii(const char **p)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *q = *p;
    int u;

    if (q[0] != '\\') {
        *p = q + 1;
        return (uint8_t)q[0] < 0x80 ? q[0] : -1;
    }
    if (q[1] != 'u') {
        *p = q + 2;
        return to[strchr(from, q[1]) - from];
    }
    u = hex4(q + 2, q + 6);
    *p = q + 6;
    return u < 0x80 ? u : -1;
}

/* quoted points to the opening quote of a checked string. */
static bool name_is(const char *quoted, const char *name)
{
    const char *p = quoted + 1;

    for (; *name; name++)
        if (*p == '"' || next_ascii(&p) != *name)
            return false;
    return *p == '"';
}

bool jsontext_member(struct span object, const char *name, struct span *value)
{
    struct scan s;

    object = jsontext_trim(object);
    if (object.len < 2 || object.at[0] != '{')
        return false;
    s = (struct scan){.p = object.at, .end = object.at + object.len, .depth = ~0U};
    while (!at(&s, '}')) {
        const char *quoted, *first;

        s.p++; /* the bracket or a comma */
        scan_space(&s);
        if (at(&s, '}'))
            break;
        quoted = s.p;
        scan_name(&s);
        first = s.p;
        scan_value(&s);
        if (name_is(quoted, name)) {
            *value = jsontext_trim((struct span){first, (size_t)(s.p - first)});
            return true;
        }
    }
    return false;
}

bool jsontext_next(struct span array, struct span *element)
{
    struct scan s;

    array = jsontext_trim(array);
    s = (struct scan){.end = array.at + array.len, .depth = ~0U};
    s.p = element->at ? element->at + element->len : array.at + 1;
    scan_space(&s);
    if (at(&s, ']'))
        return false;
    if (element->at)
        s.p++; /* the comma */
    scan_space(&s);
    element->at = s.p;
    scan_value(&s);
    element->len = (size_t)(s.p - element->at);
    *element = jsontext_trim(*element);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    const cJSON *const *x = a, *const *y = b;

    return strcmp((*x)->string, (*y)->string);
}

static const char *duplicate_here(const cJSON *object)
{
    size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
    AUTOFREE const cJSON **members = xcalloc(n + 1, sizeof(const cJSON *));
    const cJSON *m = NULL;

    cJSON_ArrayForEach (m, object)
        members[i++] = m;
    qsort(members, n, sizeof(members[0]), compare_names);
    for (i = 1; i < n; i++)
        if (strcmp(members[i - 1]->string, members[i]->string) == 0)
            return members[i]->string;
    return NULL;
}

const char *jsontext_duplicate(const cJSON *tree)
{
    const char *name = cJSON_IsObject(tree) ? duplicate_here(tree) : NULL;
    const cJSON *child = NULL;

    cJSON_ArrayForEach (child, tree) {
        if (name)
            break;
        name = jsontext_duplicate(child);
    }
    return name;
}
