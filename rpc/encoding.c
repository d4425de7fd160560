#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "rpc/encoding.h"

/* ";q=0" and "; q=0.000": not this one. */
static bool is_refused(const char *item, size_t len)
{
    const char *at = memchr(item, '=', len), *end = item + len;

    if (!at)
        return false;
    for (at++; at < end; at++)
        if (*at >= '1' && *at <= '9')
            return false;
    return true;
}

static bool is_named(const char *item, size_t len, const char *name)
{
    size_t n = strlen(name);

    return len >= n && strncasecmp(item, name, n) == 0 &&
           (len == n || item[n] == ';' || item[n] == ' ');
}

enum encoding encoding_choose(const char *header)
{
    bool gzip = false;

    while (header && *header) {
        size_t skip = strspn(header, " \t,"), len = strcspn(header + skip, ",");
        const char *item = header + skip;

        if (!is_refused(item, len)) {
            if (is_named(item, len, "zstd"))
                return ENCODING_ZSTD;
            gzip = gzip || is_named(item, len, "gzip");
        }
        header = item + len;
    }
    return gzip ? ENCODING_GZIP : ENCODING_NONE;
}

const char *encoding_name(enum encoding e)
{
    switch (e) {
    case ENCODING_NONE:
        return NULL;
    case ENCODING_GZIP:
        return "gzip";
    case ENCODING_ZSTD:
        return "zstd";
    }
    return NULL;
}
