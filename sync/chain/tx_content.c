#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/chain/address.h"
#include "sync/chain/amount.h"
#include "sync/chain/tx.h"

enum { INPUTS_MAX = 1000, OUTPUTS_MAX = 1000 };
static const double FEE_MAX = 1000.0, AMOUNT_MIN = 1e-18;
static const double TIME_MIN = 946684800.0;  /* 2000 */
static const double TIME_MAX = 4102444800.0; /* 2100 */
static const double TIME_AHEAD =
    300.0 + 2.0; /* of the block; the clock is read twice */

static enum errc bad(struct err *err, const char *what)
{
    return err_fail(err, REASON_TX_MALFORMED, "transaction: %s", what);
}

/* Minus zero is spelled and hashed apart from zero, and no miner writes it. */
static bool read_amount(const struct json *v, double *out)
{
    return amount_read(v, out) && !signbit(*out);
}

static bool is_zero(double amount)
{
    return amount <= 0.0; /* none is below */
}

static enum errc read_parties(const struct json *v, const struct tx_context *ctx,
                              struct tx *tx, struct err *err)
{
    char recipient[COIN_ADDRESS_MAX + 1];
    const char *from, *to;

    if (!json_text(tx_at(v, TX_SENDER), &from) || !address_normalise(from, tx->sender))
        return bad(err, "sender is no address");
    if (!json_text(tx_at(v, TX_RECIPIENT), &to))
        return bad(err, "recipient is no text");
    if (strcmp(tx->sender, "COINBASE") == 0) {
        tx->kind = TX_COINBASE;
        return ERR_OK;
    }
    tx->kind = TX_NORMAL;
    if (address_is_name(tx->sender))
        return err_fail(err, REASON_TX_FORBIDDEN_TYPE, "transaction: sender %s",
                        tx->sender);
    if (!address_is_spendable(tx->sender, ctx->params))
        return bad(err, "sender is not of this network or has a wrong checksum");
    if (to[0] != '\0' && (!address_normalise(to, recipient) ||
                          !address_in_transfer(recipient, ctx->params)))
        return bad(err, "recipient is no address of this network");
    return ERR_OK;
}

static enum errc read_figures(const struct json *v, const struct tx_context *ctx,
                              struct tx *tx, struct err *err)
{
    const struct json *nonce = tx_at(v, TX_NONCE);
    bool coinbase = tx->kind == TX_COINBASE;
    uint64_t n;

    if (!read_amount(tx_at(v, TX_AMOUNT), &tx->amount) ||
        (!coinbase && tx->amount < AMOUNT_MIN))
        return bad(err, "amount is no sum of XAI");
    if (!read_amount(tx_at(v, TX_FEE), &tx->fee) || tx->fee > FEE_MAX ||
        (coinbase && !is_zero(tx->fee)))
        return bad(err, "fee is out of bounds");
    if (!json_double(tx_at(v, TX_TIMESTAMP), &tx->timestamp) ||
        tx->timestamp < TIME_MIN || tx->timestamp > TIME_MAX ||
        tx->timestamp > ctx->header->timestamp + TIME_AHEAD)
        return bad(err, "timestamp is out of bounds");
    if (!(coinbase && json_is_null(nonce)) && !json_u64(nonce, &n))
        return bad(err, "nonce is no integer of 0 or more");
    return ERR_OK;
}

static bool read_outpoint(const struct json *v, struct outpoint *out)
{
    uint64_t vout;

    if (!json_hash(json_get(v, "txid"), out->txid) ||
        !json_u64(json_get(v, "vout"), &vout) || vout > UINT32_MAX)
        return false;
    out->vout = (uint32_t)vout;
    return true;
}

static int by_outpoint(const void *a, const void *b)
{
    return outpoint_compare(a, b);
}

static bool has_twice(const struct outpoint *inputs, size_t n)
{
    AUTOFREE struct outpoint *sorted = xcalloc(n, sizeof(*sorted));

    memcpy(sorted, inputs, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_outpoint);
    for (size_t i = 1; i < n; i++)
        if (outpoint_compare(&sorted[i - 1], &sorted[i]) == 0)
            return true;
    return false;
}

static enum errc read_inputs(const struct json *list, const struct tx_context *ctx,
                             struct tx *tx, struct err *err)
{
    struct outpoint *inputs;
    size_t n = 0;

    if (list->type != JSON_ARRAY || list->len > INPUTS_MAX)
        return bad(err, "inputs is no array of at most 1000");
    if ((tx->kind == TX_COINBASE) != (list->len == 0))
        return bad(err, "inputs: a transfer has some, a coinbase has none");
    inputs = arena_alloc(ctx->arena, list->len, sizeof(*inputs));
    for (const struct json *v = list->first; v; v = v->next)
        if (!read_outpoint(v, &inputs[n++]))
            return bad(err, "an input without txid and vout");
    tx->inputs = inputs;
    tx->input_count = n;
    if (n > 1 && has_twice(inputs, n))
        return err_fail(err, REASON_TX_DOUBLE_SPEND,
                        "transaction: an input stands twice in it");
    return ERR_OK;
}

static bool read_coin(const struct json *v, struct coin *coin, double *spelled)
{
    const struct json *amount = json_get(v, "amount"),
                      *address = json_get(v, "address");
    const char *text;

    if (!read_amount(amount, &coin->amount) || !json_double(amount, spelled) ||
        !json_text(address, &text) || address->len == 0 ||
        address->len > COIN_ADDRESS_MAX)
        return false;
    memcpy(coin->address, text, address->len + 1);
    return true;
}

enum errc tx_read_outputs(const struct json *v, const struct tx_context *ctx,
                          struct tx *out, struct err *err)
{
    const struct json *list = tx_at(v, TX_OUTPUTS);
    struct coin *coins;
    double *spelled;
    uint32_t n = 0;

    if (list->type != JSON_ARRAY || list->len == 0 || list->len > OUTPUTS_MAX)
        return bad(err, "outputs is no array of 1 to 1000");
    coins = arena_alloc(ctx->arena, list->len, sizeof(*coins));
    spelled = arena_alloc(ctx->arena, list->len, sizeof(*spelled));
    for (const struct json *item = list->first; item; item = item->next, n++) {
        if (!read_coin(item, &coins[n], &spelled[n]))
            return bad(err, "an output without a good address and amount");
        memcpy(coins[n].at.txid, out->txid, sizeof(out->txid));
        coins[n].at.vout = n;
    }
    out->outputs = coins;
    out->output_amounts = spelled;
    out->output_count = n;
    return ERR_OK;
}

static enum errc check_transfer_outputs(const struct tx *tx,
                                        const struct tx_context *ctx, struct err *err)
{
    for (size_t i = 0; i < tx->output_count; i++) {
        if (tx->output_amounts[i] < AMOUNT_MIN)
            return bad(err, "an output of nothing");
        if (!address_in_transfer(tx->outputs[i].address, ctx->params))
            return bad(err, "an output to no address of this network");
    }
    return ERR_OK;
}

/* The amount that a coinbase names is what its outputs make. */
static enum errc check_coinbase_outputs(const struct tx *tx, struct err *err)
{
    double sum = 0;

    for (size_t i = 0; i < tx->output_count; i++)
        sum += tx->outputs[i].amount;
    if (sum < tx->amount || sum > tx->amount)
        return bad(err, "a coinbase whose outputs are not its amount");
    return ERR_OK;
}

enum errc tx_read_content(const struct json *v, const struct tx_context *ctx,
                          struct tx *out, struct err *err)
{
    enum errc rc = read_parties(v, ctx, out, err);

    if (rc == ERR_OK)
        rc = read_figures(v, ctx, out, err);
    if (rc == ERR_OK)
        rc = read_inputs(tx_at(v, TX_INPUTS), ctx, out, err);
    if (rc == ERR_OK)
        rc = tx_read_outputs(v, ctx, out, err);
    if (rc == ERR_OK)
        rc = out->kind == TX_COINBASE ? check_coinbase_outputs(out, err)
                                      : check_transfer_outputs(out, ctx, err);
    return rc;
}

/* Coins of nothing come from heartbeats, and nothing else does. */
static bool is_right_type(const char *type, const struct tx *tx)
{
    bool heartbeat = strcmp(type, "heartbeat") == 0;

    if (tx->kind == TX_NORMAL)
        return strcmp(type, "normal") == 0;
    if (!heartbeat && strcmp(type, "coinbase") != 0)
        return false;
    for (size_t i = 0; i < tx->output_count; i++)
        if (is_zero(tx->outputs[i].amount) != heartbeat)
            return false;
    return true;
}

enum errc tx_check_type(const struct json *v, const struct tx *tx, struct err *err)
{
    const char *type;

    if (!json_text(tx_at(v, TX_TYPE), &type) || !is_right_type(type, tx))
        return err_fail(err, REASON_TX_FORBIDDEN_TYPE,
                        "transaction: its tx_type does not go with sender %s",
                        tx->sender);
    return ERR_OK;
}
