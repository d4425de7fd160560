#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/pyfloat.h"
#include "sync/serve/serve_chain.h"
#include "sync/serve/serve_stock.h"

struct latest {
    struct chaindb_header header;
    struct buf body; /* empty: there is none */
    char hash[65], timestamp[PYFLOAT_TEXT];
};

static enum errc get_latest(struct reader *r, struct latest *l, struct err *err)
{
    struct state_tip tip;
    bool found;

    if (state_get_tip(r->state, &tip, err) != ERR_OK ||
        chaindb_header_get(r->chain, tip.hash, &found, &l->header, err) != ERR_OK)
        return err->code;
    if (!found)
        return err_fail(err, REASON_STORAGE_CORRUPT, "the tip has no header");
    if (l->header.has_body && serve_chain_block(r, tip.hash, &l->body, err) != ERR_OK)
        return err->code;
    hex_encode(tip.hash, 32, l->hash);
    (void)pyfloat_repr(l->header.timestamp, l->timestamp);
    return ERR_OK;
}

static void put_text(const char *text, size_t len, struct buf *out)
{
    if (len > 0)
        json_write_string(text, len, out);
    else
        buf_puts(out, "null");
}

/* Who mined it and how many transactions it has: both are in the body alone. */
static enum errc put_contents(const struct latest *l, struct buf *out, struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    const struct json *miner, *list;

    buf_puts(out, "\"miner\":");
    if (l->body.len == 0) {
        put_text(l->header.miner_pubkey, strlen(l->header.miner_pubkey), out);
        buf_printf(out, ",\"timestamp\":%s,\"transactions\":null", l->timestamp);
        return ERR_OK;
    }
    if (json_parse(l->body.data, l->body.len, &JSON_LIMITS_BLOCK, &doc, err) != ERR_OK)
        return err->code;
    miner = json_get(json_root(doc), "miner");
    list = json_get(json_root(doc), "transactions");
    if (miner && miner->type == JSON_STRING)
        put_text(miner->text, miner->len, out);
    else
        put_text("", 0, out);
    buf_printf(out, ",\"timestamp\":%s,\"transactions\":%zu", l->timestamp,
               list ? list->len : 0);
    return ERR_OK;
}

static enum errc put_latest(const struct latest *l, bool summary, struct buf *out,
                            struct err *err)
{
    buf_puts(out, "{");
    if (!summary && l->body.len > 0) {
        buf_puts(out, "\"block\":");
        buf_put(out, l->body.data, l->body.len);
        buf_puts(out, ",");
    }
    buf_printf(out,
               "\"block_number\":%" PRIu64 ",\"hash\":\"%s\",\"summary\":{"
               "\"difficulty\":%" PRIu32 ",\"hash\":\"%s\",\"height\":%" PRIu64 ",",
               l->header.height, l->hash, l->header.difficulty, l->hash,
               l->header.height);
    if (put_contents(l, out, err) != ERR_OK)
        return err->code;
    buf_printf(out, "},\"timestamp\":%s}\n", l->timestamp);
    return ERR_OK;
}

enum errc serve_stock_latest(struct reader *r, bool summary, struct buf *out,
                             struct err *err)
{
    struct latest l = {.body = BUF(SERVE_BLOCK_MAX)};
    enum errc rc = get_latest(r, &l, err);

    if (rc == ERR_OK)
        rc = put_latest(&l, summary, out, err);
    buf_fini(&l.body);
    return rc;
}
