/* Answers of stock peers: a tip that is accepted is in range and reads the same again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/peer/answer.h"
#include "sync/peer/stock.h"
#include "sync/peer/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_tip(const char *text, size_t size)
{
    struct stock_tip tip = {0}, again;
    struct err err = {.code = ERR_OK};
    AUTOFREE char *body = NULL;
    char hash[65];

    if (stock_tip_parse(text, size, &tip, &err) != ERR_OK) {
        must(err.reason == REASON_PEER_BAD_ANSWER && err.code == ERR_NET);
        return;
    }
    must(tip.height < UINT64_C(1) << 53);
    hex_encode(tip.hash, 32, hash);
    must(memmem(text, size, hash, 64) != NULL || memchr(text, '\\', size) != NULL);
    body = xasprintf("{\"summary\":{\"height\":%" PRIu64 ",\"hash\":\"%s\"}}",
                     tip.height, hash);
    must(stock_tip_parse(body, strlen(body), &again, &err) == ERR_OK);
    must(again.height == tip.height && memcmp(again.hash, tip.hash, 32) == 0);
}

/* The same bytes as a header field or as a URL. */
static void check_fields(const char *text)
{
    char base[URL_MAX], twice[URL_MAX], group[URL_GROUP_MAX];
    struct answer_range range;
    struct err err;

    if (answer_range_parse(text, &range))
        must(range.first <= range.last &&
             (range.total == 0 || range.last < range.total));
    if (answer_etag_ok(text))
        must(strlen(text) <= 256 && strpbrk(text, "\r\n") == NULL);
    if (url_normalise_base(text, base, &err) == ERR_OK) {
        const char *host = strstr(base, "://") + 3;

        must(url_is_ws(base) || url_check(base, &err) == ERR_OK);
        must(memchr(host, '@', strcspn(host, "/")) == NULL);
        must(url_normalise_base(base, twice, &err) == ERR_OK &&
             strcmp(base, twice) == 0);
    }
    if (!url_network_group(text, group))
        must(url_address_is_local(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTOFREE char *text = xcalloc(1, size + 1);

    memcpy(text, data, size);
    check_tip(text, size);
    check_fields(text);
    return 0;
}
