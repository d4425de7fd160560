#include <stdio.h>

#include "base/buf.h"
#include "base/hex.h"
#include "rpc/methods.h"
#include "rpc/out.h"

/* A block is 2 MB of canonical text at most; kept bodies were checked to be. */
enum { BODY_MAX = 8 << 20 };

static void add_supply(cJSON *result, const struct state_tip *tip)
{
    char supply[U128_TEXT + 2];

    u128_amount_text(tip->supply, supply);
    out_text(result, "supply", supply);
    out_u64(result, "coins", tip->coin_count);
}

static enum errc add_tip(struct rpc_ctx *ctx, bool with_work, cJSON *result,
                         struct err *err)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct state_tip tip;

    if (reads_chain(ctx->reads, &reader, err) ||
        state_get_tip(reader->state, &tip, err))
        return err->code;
    out_u64(result, "height", tip.height);
    out_hash(result, "block_hash", tip.hash);
    if (with_work)
        out_work_bytes(result, "work", tip.work);
    add_supply(result, &tip);
    return ERR_OK;
}

METHODS_HANDLER(chain_tip)
{
    (void)p;
    return add_tip(ctx, true, result, err);
}

METHODS_HANDLER(chain_supply)
{
    (void)p;
    return add_tip(ctx, false, result, err);
}

METHODS_HANDLER(chain_block)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct buf CLEANUP_BUF body = BUF(BODY_MAX);
    struct chaindb_header h = {0};
    bool active = false, found;

    if (reads_chain(ctx->reads, &reader, err) ||
        methods_find_header(reader, p, &h, &active, err) ||
        chaindb_body_get(reader->chain, h.hash, &found, &body, err))
        return err->code;
    if (!found && h.height <= state_base(reader->state)->id.height)
        return err_set(err, ERR_NOTFOUND, "below the checkpoint: bodies are not kept");
    if (!found)
        return err_set(err, ERR_NOTFOUND, "only the header of this block is held");
    out_u64(result, "height", h.height);
    out_hash(result, "block_hash", h.hash);
    cJSON_AddBoolToObject(result, "active", active);
    return out_document(result, "block", body.data, err);
}

METHODS_HANDLER(chain_coin)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct outpoint at = {.vout = (uint32_t)p->vout.value};
    char script[COIN_ADDRESS_MAX + 8];
    struct coin coin;
    uint64_t made_height;
    bool found;

    (void)hex_hash(p->txid, at.txid); /* param_parse saw that it is one */
    if (reads_chain(ctx->reads, &reader, err) ||
        state_find(reader->state, &at, &found, &coin, &made_height, err))
        return err->code;
    out_text(result, "txid", p->txid);
    out_u64(result, "vout", at.vout);
    cJSON_AddBoolToObject(result, "unspent", found);
    if (!found) {
        static const char *const absent[] = {"amount", "address", "script_pubkey",
                                             "height", "base"};

        for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
            cJSON_AddNullToObject(result, absent[i]);
        return ERR_OK;
    }
    (void)snprintf(script, sizeof(script), "P2PKH %s", coin.address);
    out_amount(result, "amount", coin.amount);
    out_text(result, "address", coin.address);
    out_text(result, "script_pubkey", script);
    if (made_height > 0)
        out_u64(result, "height", made_height);
    else
        cJSON_AddNullToObject(result, "height");
    cJSON_AddBoolToObject(result, "base", made_height == 0);
    return ERR_OK;
}
