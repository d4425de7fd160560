#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "sync/peer/book_impl.h"
#include "sync/peer/cidr.h"

enum { KEY_TEXT = URL_MAX + 64 };

uint64_t book_key_of(const struct book *b, char what, const char *text)
{
    uint8_t bytes[BOOK_SALT + 1 + KEY_TEXT], hash[32];
    size_t len = strnlen(text, KEY_TEXT);
    uint64_t key;

    if (len == 0)
        return 0;
    memcpy(bytes, b->salt, BOOK_SALT);
    bytes[BOOK_SALT] = (uint8_t)what;
    memcpy(bytes + BOOK_SALT + 1, text, len);
    hash_sha256(bytes, BOOK_SALT + 1 + len, hash);
    memcpy(&key, hash, sizeof(key));
    return key ? key : 1;
}

uint64_t book_key_endpoint(const struct book *b, const char *url, const char *ip)
{
    char host[URL_HOST_MAX], text[URL_HOST_MAX + 40];
    struct cidr address;

    if (!url_host(url, host))
        return 0;
    if (ip && ip[0] != '\0')
        (void)snprintf(host, sizeof(host), "%s", ip);
    if (cidr_parse_address(host, &address)) /* ::ffff:1.2.3.4 is 1.2.3.4 */
        for (size_t i = 0; i < sizeof(address.bytes); i++)
            (void)snprintf(host + 2 * i, 3, "%02x", address.bytes[i]);
    (void)snprintf(text, sizeof(text), "%s %u", host, url_port(url));
    return book_key_of(b, 'e', text);
}

struct book_keys book_key_all(const struct book *b, const struct book_entry *entry)
{
    return (struct book_keys){
        .url = book_key_of(b, 'u', entry->url),
        .endpoint = book_key_endpoint(b, entry->url, NULL),
        .address = entry->ip[0] ? book_key_endpoint(b, entry->url, entry->ip) : 0,
        .identity = book_key_of(b, 'i', entry->identity),
        .group = book_key_of(b, 'g', entry->place.group),
        .source = book_key_of(b, 'g', entry->source),
    };
}
