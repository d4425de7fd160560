#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "rpc/etag.h"

void etag_of(const void *body, size_t len, char out[ETAG_TEXT])
{
    uint8_t hash[32];
    char hex[65];

    hash_sha256(body, len, hash);
    hex_encode(hash, sizeof(hash), hex);
    (void)snprintf(out, ETAG_TEXT, "\"%.32s\"", hex);
}

bool etag_matches(const char *header, const char *tag)
{
    static const char gap[] = " \t,";
    size_t len = strlen(tag);

    if (!header)
        return false;
    header += strspn(header, gap);
    if (strcmp(header, "*") == 0)
        return true;
    while (*header) {
        const char *end;

        if (strncmp(header, "W/", 2) == 0)
            header += 2; /* weak tags match as well (13.1.2) */
        end = *header == '"' ? strchr(header + 1, '"') : NULL;
        if (!end)
            return false; /* no list of tags */
        end++;
        if ((size_t)(end - header) == len && memcmp(header, tag, len) == 0)
            return true;
        header = end + strspn(end, gap);
    }
    return false;
}
