/* A peer's list of addresses: what is taken is in one spelling, once, of no local
   network but the one that is allowed; and a list of what was taken is taken whole. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sync/peer/adverts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_one(const struct adverts *a, size_t at,
                      const struct adverts_allow *allow)
{
    char again[URL_WS_MAX], host[URL_HOST_MAX];
    struct cidr address;
    struct err err;

    require(memchr(a->urls[at], 0, URL_WS_MAX) != NULL);
    require(adverts_check(a->urls[at], allow, again, &err) == ERR_OK);
    require(strcmp(again, a->urls[at]) == 0);
    require(url_host(a->urls[at], host));
    if (cidr_parse_address(host, &address))
        require(!url_address_is_local(host) ||
                cidr_contains(&allow->networks[0], &address));
    else
        require(strchr(host, '.') != NULL);
    for (size_t i = 0; i < at; i++)
        require(strcmp(a->urls[i], a->urls[at]) != 0);
}

/* No character of a URL needs escaping. */
static void write_list(const struct adverts *a, struct buf *out)
{
    buf_puts(out, "[");
    for (size_t i = 0; i < a->count; i++) {
        buf_puts(out, i > 0 ? ",\"" : "\"");
        buf_puts(out, a->urls[i]);
        buf_puts(out, "\"");
    }
    buf_puts(out, "]");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cidr lab;
    const struct adverts_allow allow = {&lab, 1};
    CLEANUP(adverts_free) struct adverts *a = NULL;
    CLEANUP(adverts_free) struct adverts *again = NULL;
    CLEANUP_BUF struct buf text = BUF(ADVERTS_BYTES_MAX);
    struct err err = {0};

    require(cidr_parse("10.7.0.0/16", &lab));
    if (adverts_parse((const char *)data, size, &allow, &a, &err) != ERR_OK) {
        require(err.reason == REASON_PEER_BAD_ANSWER && !a);
        return 0;
    }
    require(a->count <= ADVERTS_MAX);
    for (size_t i = 0; i < a->count; i++)
        check_one(a, i, &allow);
    write_list(a, &text);
    require(!text.full);
    require(adverts_parse(text.data, text.len, &allow, &again, &err) == ERR_OK);
    require(again->count == a->count && again->refused == 0);
    for (size_t i = 0; i < a->count; i++)
        require(strcmp(a->urls[i], again->urls[i]) == 0);
    return 0;
}
