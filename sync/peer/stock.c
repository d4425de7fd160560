#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sync/peer/stock.h"

/* Python's lists and the JSON of others hold heights to 2^53 exactly; no chain gets
 * there. */
static const uint64_t height_max = (UINT64_C(1) << 53) - 1;

char *stock_url_block(const char *base, uint64_t height)
{
    return xasprintf("%s/blocks/%" PRIu64, base, height);
}

char *stock_url_tip(const char *base)
{
    return xasprintf("%s/block/latest?summary=1", base);
}

enum errc stock_tip_parse(const char *body, size_t len, struct stock_tip *out,
                          struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json_limits limits = JSON_LIMITS_SMALL;
    const struct json *root, *summary, *number;
    struct stock_tip tip;
    uint8_t hash[32];
    uint64_t also;

    if (json_parse(body, len, &limits, &doc, err) != ERR_OK) {
        const struct err cause = *err;

        return err_fail(err, REASON_PEER_BAD_ANSWER, "latest block: %.180s", cause.msg);
    }
    root = json_root(doc);
    summary = json_get(root, "summary");
    if (!json_u64(json_get(summary, "height"), &tip.height) || tip.height > height_max)
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "latest block: no height in range");
    if (!json_hash(json_get(summary, "hash"), tip.hash))
        return err_fail(err, REASON_PEER_BAD_ANSWER, "latest block: no hash");
    number = json_get(root, "block_number");
    if (number && (!json_u64(number, &also) || also != tip.height))
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "latest block: block_number and summary.height differ");
    if (json_get(root, "hash") && (!json_hash(json_get(root, "hash"), hash) ||
                                   memcmp(hash, tip.hash, sizeof(hash)) != 0))
        return err_fail(err, REASON_PEER_BAD_ANSWER,
                        "latest block: hash and summary.hash differ");
    *out = tip;
    return ERR_OK;
}
