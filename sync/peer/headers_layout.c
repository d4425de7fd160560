#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "sync/peer/headers_layout.h"

bool headers_layout_kind(const char *text, unsigned *kind, uint8_t raw[HEADERS_RAW])
{
    size_t len = strlen(text);

    if (len == 0)
        *kind = HEADERS_TEXT_NONE;
    else if (len == 2 * (size_t)HEADERS_RAW && hex_decode(text, HEADERS_RAW, true, raw))
        *kind = HEADERS_TEXT_RAW;
    else if (json_plain(text, len) == len)
        *kind = HEADERS_TEXT_PLAIN;
    else
        return false;
    return true;
}

bool headers_layout_seen(const struct headers_wire_keys *keys, const char *text,
                         uint64_t *since)
{
    for (size_t i = 0; i < keys->count && i < HEADERS_WIRE_KEYS; i++) {
        if (strcmp(keys->text[(keys->count - 1 - i) % HEADERS_WIRE_KEYS], text) == 0) {
            *since = i;
            return true;
        }
    }
    return false;
}

void headers_layout_remember(struct headers_wire_keys *keys, const char *text)
{
    char *slot = keys->text[keys->count++ % HEADERS_WIRE_KEYS];

    memcpy(slot, text, strlen(text) + 1);
}
