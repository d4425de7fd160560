#include <string.h>

#include "base/json.h"
#include "sync/chain/amount.h"
#include "sync/chain/params.h"

static const struct json_limits limits = {1 << 16, 1 << 10, 8};

static enum errc bad(struct err *err, const char *field, const char *want)
{
    return err_set(err, ERR_INVALID, "network parameters: %s: %s", field, want);
}

/* Exactly the n keys, each once (the parser refuses a second), and extra others, of
   which the caller knows. */
static bool has_keys(const struct json *v, const char *const *keys, size_t n,
                     size_t extra)
{
    if (!v || v->type != JSON_OBJECT || v->len != n + extra)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!json_get(v, keys[i]))
            return false;
    return true;
}

static bool read_name(const struct json *v, char *out, size_t size)
{
    const char *text;

    if (!json_text(v, &text) || v->len == 0 || v->len >= size ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != v->len)
        return false;
    memcpy(out, text, v->len + 1);
    return true;
}

static bool read_bool(const struct json *v, bool *out)
{
    if (!v || v->type != JSON_BOOL)
        return false;
    *out = v->boolean;
    return true;
}

static bool read_number(const struct json *v, uint64_t max, uint32_t *out)
{
    uint64_t n;

    if (!json_u64(v, &n) || n > max)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool read_coin(const struct json *v, struct coin *out)
{
    static const char *const keys[] = {"txid", "vout", "address", "amount"};
    const struct json *address = json_get(v, "address");
    const char *text;

    if (!has_keys(v, keys, sizeof(keys) / sizeof(keys[0]), 0) ||
        !json_hash(json_get(v, "txid"), out->at.txid) ||
        !read_number(json_get(v, "vout"), UINT32_MAX, &out->at.vout) ||
        !amount_read(json_get(v, "amount"), &out->amount) ||
        !json_text(address, &text) || address->len == 0 ||
        address->len > COIN_ADDRESS_MAX)
        return false;
    memcpy(out->address, text, address->len + 1);
    return true;
}

static bool is_twice(const struct chain_params *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (outpoint_compare(&p->genesis_coins[k].at, &p->genesis_coins[i].at) == 0)
            return true;
    return false;
}

static enum errc read_coins(const struct json *list, struct chain_params *p,
                            struct err *err)
{
    if (!list || list->type != JSON_ARRAY || list->len > GENESIS_COINS_MAX)
        return bad(err, "genesis_coins", "an array of at most 64");
    for (const struct json *v = list->first; v; v = v->next) {
        if (!read_coin(v, &p->genesis_coins[p->genesis_coin_count]))
            return bad(err, "genesis_coins",
                       "each with txid, vout, address and amount");
        if (is_twice(p, p->genesis_coin_count))
            return bad(err, "genesis_coins", "a coin twice");
        p->genesis_coin_count++;
    }
    return ERR_OK;
}

/* What chain_context says, unless the file does. */
static enum errc read_tls(const struct json *v, struct chain_params *p, struct err *err)
{
    p->p2p_tls = params_find(p->chain_context)->p2p_tls;
    if (v && !read_bool(v, &p->p2p_tls))
        return bad(err, "p2p_tls", "true or false");
    return ERR_OK;
}

static enum errc read_fields(const struct json *v, struct chain_params *p,
                             struct err *err)
{
    static const char *const keys[] = {"network",        "chain_context",
                                       "genesis_hash",   "genesis_coins",
                                       "max_difficulty", "min_difficulty_after_gap"};
    const struct json *tls = json_get(v, "p2p_tls");

    if (!has_keys(v, keys, sizeof(keys) / sizeof(keys[0]), tls != NULL))
        return bad(err, "the document",
                   "an object of network, chain_context, genesis_hash, genesis_coins, "
                   "max_difficulty, min_difficulty_after_gap, and p2p_tls if need be");
    if (!read_name(json_get(v, "network"), p->network, sizeof(p->network)))
        return bad(err, "network", "1 to 31 of a-z, 0-9 and -");
    if (!read_name(json_get(v, "chain_context"), p->chain_context,
                   sizeof(p->chain_context)) ||
        !params_find(p->chain_context))
        return bad(err, "chain_context", "\"testnet\" or \"mainnet\"");
    memcpy(p->address_prefix, params_find(p->chain_context)->address_prefix,
           sizeof(p->address_prefix));
    if (!json_hash(json_get(v, "genesis_hash"), p->genesis_hash))
        return bad(err, "genesis_hash", "64 lower-case hex digits");
    if (!read_number(json_get(v, "max_difficulty"), 64, &p->max_difficulty))
        return bad(err, "max_difficulty", "0 (no cap) to 64");
    if (!read_bool(json_get(v, "min_difficulty_after_gap"),
                   &p->min_difficulty_after_gap))
        return bad(err, "min_difficulty_after_gap", "true or false");
    if (read_tls(tls, p, err))
        return err->code;
    return read_coins(json_get(v, "genesis_coins"), p, err);
}

enum errc params_parse(const char *text, size_t len, struct chain_params *out,
                       struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct chain_params p = {0};
    struct err cause;
    enum errc rc;

    if (json_parse(text, len, &limits, &doc, &cause) != ERR_OK)
        return bad(err, "the document", cause.msg);
    rc = read_fields(json_root(doc), &p, err);
    if (rc == ERR_OK)
        *out = p;
    return rc;
}
