#include <string.h>
#include <strings.h>

#include "sync/peer/answer.h"

enum { ETAG_MAX = 256 };

static bool digits(const char **p, uint64_t *out)
{
    const char *start = *p;
    uint64_t n = 0;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        unsigned d = (unsigned)(**p - '0');

        if (n > ((uint64_t)INT64_MAX - d) / 10)
            return false;
        n = n * 10 + d;
    }
    *out = n;
    return *p > start;
}

static bool eat(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

bool answer_u64_parse(const char *text, uint64_t *out)
{
    uint64_t n;

    if (!digits(&text, &n) || *text != '\0')
        return false;
    *out = n;
    return true;
}

bool answer_range_parse(const char *text, struct answer_range *out)
{
    struct answer_range r = {0};

    if (strncasecmp(text, "bytes ", 6) != 0)
        return false;
    text += 6;
    if (!digits(&text, &r.first) || !eat(&text, '-') || !digits(&text, &r.last) ||
        !eat(&text, '/') || r.last < r.first)
        return false;
    if (!eat(&text, '*') && (!digits(&text, &r.total) || r.total <= r.last))
        return false;
    if (*text != '\0')
        return false;
    *out = r;
    return true;
}

bool answer_etag_weak(const char *text)
{
    return strncmp(text, "W/", 2) == 0;
}

bool answer_etag_ok(const char *text)
{
    size_t len = strlen(text);
    const char *tag = answer_etag_weak(text) ? text + 2 : text;

    if (len > ETAG_MAX || strlen(tag) < 2 || tag[0] != '"')
        return false;
    for (tag++; tag[1] != '\0'; tag++)
        if (*tag <= 0x20 || *tag >= 0x7f || *tag == '"')
            return false;
    return *tag == '"';
}
