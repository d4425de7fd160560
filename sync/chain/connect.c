#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/chain/connect.h"
#include "sync/chain/reward.h"
#include "sync/chain/sums.h"

static const u128 SUPPLY_MAX_ATTO = (u128)121000000U * 1000000000000000000U;

struct connector {
    const struct block *block;
    const struct connect_view *view;
    struct connect_changes changes;
    uint8_t (*txids)[32]; /* of the block, sorted */
    double fees;
};

#define FAIL(c, err, reason, tx, what)                         \
    err_fail(err, reason, "block %llu transaction %zu: " what, \
             (unsigned long long)(c)->block->header.height, (size_t)(tx))

void connect_changes_fini(struct connect_changes *c)
{
    free(c->spent);
    free(c->made);
    *c = (struct connect_changes){0};
}

static void connector_fini(struct connector *c)
{
    connect_changes_fini(&c->changes);
    free(c->txids);
}

static u128 atto(double amount)
{
    u128 value = 0;

    (void)u128_from_amount(amount,
                           &value); /* amounts of a decoded block are in range */
    return value;
}

static int by_outpoint(const void *a, const void *b)
{
    return outpoint_compare(a, b);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

/* Room for all inputs and outputs of the block, and its txids in order. */
static void prepare(struct connector *c)
{
    const struct block *b = c->block;
    size_t inputs = 0, outputs = 0;

    c->txids = xcalloc(b->tx_count + 1, sizeof(*c->txids));
    for (size_t i = 0; i < b->tx_count; i++) {
        memcpy(c->txids[i], b->txs[i].txid, 32);
        inputs += b->txs[i].input_count;
        outputs += b->txs[i].output_count;
    }
    qsort(c->txids, b->tx_count, sizeof(*c->txids), by_bytes);
    c->changes.spent = xcalloc(inputs + 1, sizeof(struct coin));
    c->changes.made = xcalloc(outputs + 1, sizeof(struct coin));
}

static enum errc check_double_spend(const struct connector *c, struct err *err)
{
    const struct block *b = c->block;
    AUTOFREE struct outpoint *all = NULL;
    size_t n = 0;

    for (size_t i = 0; i < b->tx_count; i++)
        n += b->txs[i].input_count;
    all = xcalloc(n + 1, sizeof(*all));
    n = 0;
    for (size_t i = 0; i < b->tx_count; i++)
        for (size_t k = 0; k < b->txs[i].input_count; k++)
            all[n++] = b->txs[i].inputs[k];
    qsort(all, n, sizeof(*all), by_outpoint);
    for (size_t i = 1; i < n; i++)
        if (outpoint_compare(&all[i - 1], &all[i]) == 0)
            return err_fail(err, REASON_TX_DOUBLE_SPEND,
                            "block %llu spends a coin twice",
                            (unsigned long long)b->header.height);
    return ERR_OK;
}

/* False with err->code set when the storage failed, else when there is no such coin. */
static bool find(const struct connector *c, const struct outpoint *at, struct coin *out,
                 struct err *err)
{
    err->code = ERR_OK;
    return c->view->find(c->view->arg, at, out, err);
}

static enum errc spend(struct connector *c, size_t i, const struct outpoint *at,
                       struct err *err)
{
    struct coin *coin = &c->changes.spent[c->changes.spent_count];

    if (bsearch(at->txid, c->txids, c->block->tx_count, sizeof(*c->txids), by_bytes))
        return FAIL(c, err, REASON_TX_INTRA_BLOCK_SPEND, i,
                    "spends a coin of its block");
    if (!find(c, at, coin, err))
        return err->code != ERR_OK
                   ? err->code
                   : FAIL(c, err, REASON_TX_MISSING_COIN, i, "an input is not unspent");
    if (strcmp(coin->address, c->block->txs[i].sender) != 0)
        return FAIL(c, err, REASON_TX_FOREIGN_COIN, i, "an input is somebody else's");
    c->changes.spent_count++;
    return ERR_OK;
}

/* The sums are of doubles from left to right, as the chain's own. */
static enum errc spend_inputs(struct connector *c, size_t i, struct err *err)
{
    const struct tx *tx = &c->block->txs[i];
    double in = 0, out = 0;

    for (size_t k = 0; k < tx->input_count; k++) {
        if (spend(c, i, &tx->inputs[k], err) != ERR_OK)
            return err->code;
        in += c->changes.spent[c->changes.spent_count - 1].amount;
    }
    for (size_t k = 0; k < tx->output_count; k++)
        out += tx->output_amounts[k];
    if (!sums_suffice(in, out, tx->fee))
        return FAIL(c, err, REASON_TX_INSUFFICIENT, i, "the inputs do not cover it");
    c->fees += tx->fee;
    c->changes.fees += atto(tx->fee);
    return ERR_OK;
}

static enum errc make_outputs(struct connector *c, size_t i, struct err *err)
{
    const struct tx *tx = &c->block->txs[i];

    for (size_t k = 0; k < tx->output_count; k++) {
        struct coin *coin = &c->changes.made[c->changes.made_count++];

        if (find(c, &tx->outputs[k].at, coin, err))
            return FAIL(c, err, REASON_TX_COIN_EXISTS, i, "makes a coin that exists");
        if (err->code != ERR_OK)
            return err->code;
        *coin = tx->outputs[k];
        if (tx->kind == TX_COINBASE)
            c->changes.minted += atto(coin->amount);
    }
    return ERR_OK;
}

/*
 * Reward, the largest bonus, and fees (protocol.md 5.5).  An honest miner reckons them
 * in doubles, so a few units in the last place are its rounding: docs/adr/0015.
 */
static u128 coinbase_limit(const struct connector *c)
{
    double circulating = (double)c->view->supply / 1e18;
    double limit = reward_at(c->block->header.height, circulating) * 1.2 + c->fees;

    return atto(limit + limit * 0x1p-50) + 1;
}

static enum errc settle_supply(struct connector *c, struct err *err)
{
    struct connect_changes *ch = &c->changes;
    u128 supply = c->view->supply;

    if (ch->minted > coinbase_limit(c))
        return err_fail(err, REASON_BLOCK_COINBASE_TOO_LARGE,
                        "block %llu mints more than reward, bonus and fees",
                        (unsigned long long)c->block->header.height);
    for (size_t i = 0; i < ch->spent_count; i++) {
        u128 amount = atto(ch->spent[i].amount);

        if (amount > supply)
            return err_fail(err, REASON_STORAGE_CORRUPT, "supply below a coin of it");
        supply -= amount;
    }
    for (size_t i = 0; i < ch->made_count; i++)
        supply += atto(ch->made[i].amount);
    if (supply > SUPPLY_MAX_ATTO)
        return err_fail(err, REASON_BLOCK_COINBASE_TOO_LARGE,
                        "block %llu lifts the supply over 121 million",
                        (unsigned long long)c->block->header.height);
    ch->supply = supply;
    return ERR_OK;
}

static enum errc connect(struct connector *c, struct err *err)
{
    const struct block *b = c->block;

    if (check_double_spend(c, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < b->tx_count; i++) {
        if (b->txs[i].kind == TX_NORMAL && spend_inputs(c, i, err) != ERR_OK)
            return err->code;
        if (make_outputs(c, i, err) != ERR_OK)
            return err->code;
    }
    return settle_supply(c, err);
}

static void connect_genesis(struct connector *c, const struct chain_params *params)
{
    struct connect_changes *ch = &c->changes;

    ch->made = xcalloc(params->genesis_coin_count + 1, sizeof(struct coin));
    ch->made_count = params->genesis_coin_count;
    for (size_t i = 0; i < ch->made_count; i++) {
        ch->made[i] = params->genesis_coins[i];
        ch->supply += atto(ch->made[i].amount);
    }
    ch->minted = ch->supply;
}

enum errc connect_block(const struct block *b, const struct chain_params *params,
                        const struct connect_view *view, struct connect_changes *out,
                        struct err *err)
{
    __attribute__((cleanup(connector_fini))) struct connector c = {.block = b,
                                                                   .view = view};

    if (b->header.height == 0) {
        connect_genesis(&c, params);
    } else {
        prepare(&c);
        if (connect(&c, err) != ERR_OK)
            return err->code;
    }
    *out = c.changes;
    c.changes = (struct connect_changes){0};
    return ERR_OK;
}
