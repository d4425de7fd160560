#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/pyfloat.h"
#include "sync/serve/serve_stock.h"

/* Members are written by hand, in the order of their names. */
static void put_float(const char *key, double value, struct buf *out)
{
    char text[PYFLOAT_TEXT];

    (void)pyfloat_repr(value, text);
    buf_printf(out, "\"%s\":%s", key, text);
}

static double coins(u128 atto)
{
    return (double)atto / 1e18;
}

struct tip {
    struct state_tip state;
    struct chaindb_header header;
    char hash[65];
};

static enum errc get_tip(struct reader *r, struct tip *out, struct err *err)
{
    bool found;

    if (state_get_tip(r->state, &out->state, err) != ERR_OK ||
        chaindb_header_get(r->chain, out->state.hash, &found, &out->header, err) !=
            ERR_OK)
        return err->code;
    if (!found)
        return err_fail(err, REASON_STORAGE_CORRUPT, "the tip has no header");
    hex_encode(out->state.hash, 32, out->hash);
    return ERR_OK;
}

/* A clock that was set back gives none. */
static double uptime(const struct serve_node *node)
{
    return node->now_ms > node->started_ms
               ? (double)(node->now_ms - node->started_ms) / 1000.0
               : 0.0;
}

enum errc serve_stock_stats(struct reader *r, const struct serve_node *node,
                            struct buf *out, struct err *err)
{
    struct tip tip;

    if (get_tip(r, &tip, err) != ERR_OK)
        return err->code;
    buf_printf(out,
               "{\"chain_height\":%" PRIu64 ",\"difficulty\":%" PRIu32
               ",\"is_mining\":false,\"latest_block_hash\":\"%s\","
               "\"mempool_active_bans\":0,\"mempool_evicted_low_fee_total\":0,"
               "\"mempool_expired_total\":0,\"mempool_rejected_banned_total\":0,"
               "\"mempool_rejected_invalid_total\":0,"
               "\"mempool_rejected_low_fee_total\":0,"
               "\"mempool_rejected_sender_cap_total\":0,\"mempool_size_bytes\":0,"
               "\"miner_address\":\"\",",
               tip.state.height + 1, tip.header.difficulty, tip.hash);
    put_float("node_uptime", uptime(node), out);
    buf_printf(out,
               ",\"orphan_blocks_count\":0,\"orphan_transactions_count\":0,"
               "\"peers\":%zu,\"pending_transactions_count\":0,",
               node->peers);
    put_float("timestamp", (double)node->now_ms / 1000.0, out);
    buf_puts(out, ",");
    put_float("total_circulating_supply", coins(tip.state.supply), out);
    buf_puts(out, "}\n");
    return ERR_OK;
}

static enum errc put_chain_health(struct reader *r, struct buf *out, struct err *err)
{
    struct tip tip;

    if (!r) {
        buf_puts(out, "{\"accessible\":false}");
        return ERR_OK;
    }
    if (get_tip(r, &tip, err) != ERR_OK)
        return err->code;
    buf_printf(out,
               "{\"accessible\":true,\"difficulty\":%" PRIu32 ",\"height\":%" PRIu64
               ",\"latest_block_hash\":\"%s\",",
               tip.header.difficulty, tip.state.height + 1, tip.hash);
    put_float("total_supply", coins(tip.state.supply), out);
    buf_puts(out, "}");
    return ERR_OK;
}

enum errc serve_stock_health(struct reader *r, const struct serve_node *node,
                             bool *healthy, struct buf *out, struct err *err)
{
    const char *issue = !r                 ? "no_chain"
                        : node->peers == 0 ? "no_connected_peers" /* stock's word */
                        : node->ready      ? NULL
                                           : "not_synced";

    buf_puts(out, "{\"backlog\":{\"orphan_blocks\":0,\"orphan_transactions\":0,"
                  "\"pending_transactions\":0},\"blockchain\":");
    if (put_chain_health(r, out, err) != ERR_OK)
        return err->code;
    if (issue)
        buf_printf(out, ",\"error\":\"%s\"", issue);
    buf_printf(out, ",\"network\":{\"peers\":%zu},\"services\":{\"api\":\"running\",",
               node->peers);
    if (issue)
        buf_printf(out, "\"issues\":[\"%s\"]", issue);
    else
        buf_puts(out, "\"issues\":[]");
    buf_printf(out, ",\"p2p\":\"running\",\"storage\":\"healthy\"},\"status\":\"%s\",",
               issue ? "degraded" : "healthy");
    put_float("timestamp", (double)node->now_ms / 1000.0, out);
    buf_puts(out, "}\n");
    *healthy = issue == NULL;
    return ERR_OK;
}

void serve_stock_peers(size_t count, const struct buf *list, struct buf *out)
{
    buf_printf(out, "{\"count\":%zu,\"peers\":", count);
    buf_put(out, list->data, list->len);
    buf_puts(out, ",\"verbose\":false}\n");
}
