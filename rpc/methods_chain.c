#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/pyfloat.h"
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

static enum errc find_at_height(struct reader *reader, uint64_t height,
                                struct chaindb_header *h, struct err *err)
{
    struct state_tip tip;
    bool found;
    enum errc rc = state_get_tip(reader->state, &tip, err);

    if (rc)
        return rc;
    if (height > tip.height)
        return err_set(err, ERR_NOTFOUND,
                       "height %" PRIu64 " is above the tip, %" PRIu64, height,
                       tip.height);
    rc = chaindb_active_at(reader->chain, height, &found, h, err);
    if (rc)
        return rc;
    if (!found)
        return err_set(err, ERR_NOTFOUND,
                       "height %" PRIu64 " is below the checkpoint: its header is not "
                       "kept",
                       height);
    return ERR_OK;
}

/* By height on the active chain, or by hash on any branch; active: on that chain. */
static enum errc find_header(struct reader *reader, const struct params *p,
                             struct chaindb_header *h, bool *active, struct err *err)
{
    struct chaindb_header at_height;
    uint8_t hash[32];
    bool found;
    enum errc rc;

    if (p->height.given == (p->hash != NULL))
        return err_set(err, ERR_INVALID, "height, hash: one of them expected");
    *active = true;
    if (p->height.given)
        return find_at_height(reader, p->height.value, h, err);
    (void)hex_hash(p->hash, hash); /* param_parse saw that it is one */
    rc = chaindb_header_get(reader->chain, hash, &found, h, err);
    if (rc)
        return rc;
    if (!found)
        return err_set(err, ERR_NOTFOUND, "no block %.64s is known here", p->hash);
    rc = chaindb_active_at(reader->chain, h->height, &found, &at_height, err);
    if (rc)
        return rc;
    *active = found && memcmp(at_height.hash, h->hash, sizeof(h->hash)) == 0;
    return ERR_OK;
}

static const char *status_name(enum chaindb_header_status status)
{
    switch (status) {
    case CHAINDB_ANCHORED:
        return "anchored";
    case CHAINDB_VALID:
        return "valid";
    case CHAINDB_INVALID:
        return "invalid";
    }
    return NULL;
}

static void add_header(cJSON *o, const struct chaindb_header *h, bool active)
{
    char timestamp[PYFLOAT_TEXT];

    pyfloat_repr(h->timestamp, timestamp);
    out_u64(o, "height", h->height);
    out_hash(o, "block_hash", h->hash);
    out_hash(o, "previous_hash", h->prev);
    out_hash(o, "merkle_root", h->merkle_root);
    cJSON_AddRawToObject(o, "timestamp", timestamp);
    out_u64(o, "difficulty", h->difficulty);
    out_u64(o, "nonce", h->nonce);
    if (h->has_version)
        out_u64(o, "version", h->version);
    else
        cJSON_AddNullToObject(o, "version");
    out_text(o, "signature", h->signature[0] ? h->signature : NULL);
    out_text(o, "miner_pubkey", h->miner_pubkey[0] ? h->miner_pubkey : NULL);
    if (h->status == CHAINDB_VALID)
        out_work_bytes(o, "work", h->work);
    else
        cJSON_AddNullToObject(o, "work");
    cJSON_AddBoolToObject(o, "active", active);
    out_text(o, "status", status_name(h->status));
}

METHODS_HANDLER(chain_header)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct chaindb_header h = {0};
    bool active = false;

    if (reads_chain(ctx->reads, &reader, err) ||
        find_header(reader, p, &h, &active, err))
        return err->code;
    add_header(result, &h, active);
    return ERR_OK;
}

METHODS_HANDLER(chain_block)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct buf CLEANUP_BUF body = BUF(BODY_MAX);
    struct chaindb_header h = {0};
    bool active = false, found;

    if (reads_chain(ctx->reads, &reader, err) ||
        find_header(reader, p, &h, &active, err) ||
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
