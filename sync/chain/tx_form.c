#include <string.h>

#include "sync/chain/tx.h"

enum { METADATA_BYTES_MAX = 4096, TX_BYTES_MAX = 100000 };

static enum errc bad(struct err *err, const char *what)
{
    return err_fail(err, REASON_BLOCK_MALFORMED, "transaction: %s", what);
}

static bool has_all_keys(const struct json *v)
{
    static const char *const names[TX_KEYS] = {
        [TX_AMOUNT] = "amount",
        [TX_FEE] = "fee",
        [TX_INPUTS] = "inputs",
        [TX_METADATA] = "metadata",
        [TX_NONCE] = "nonce",
        [TX_OUTPUTS] = "outputs",
        [TX_PUBLIC_KEY] = "public_key",
        [TX_RBF_ENABLED] = "rbf_enabled",
        [TX_RECIPIENT] = "recipient",
        [TX_REPLACES_TXID] = "replaces_txid",
        [TX_SENDER] = "sender",
        [TX_SIGNATURE] = "signature",
        [TX_TIMESTAMP] = "timestamp",
        [TX_TYPE] = "tx_type",
        [TX_TXID] = "txid",
    };

    if (v->type != JSON_OBJECT || v->len != TX_KEYS)
        return false;
    for (enum tx_key i = 0; i < TX_KEYS; i++) {
        const struct json *member = tx_at(v, i);

        if (member->key_len != strlen(names[i]) ||
            memcmp(member->key, names[i], member->key_len) != 0)
            return false;
    }
    return true;
}

static bool is_text_or_null(const struct json *v)
{
    const char *text;

    return v->type == JSON_NULL || json_text(v, &text);
}

/* What Python's default separators add to canonical text. */
static size_t spaces(const struct json *v)
{
    size_t n = 0;

    if (v->type != JSON_OBJECT && v->type != JSON_ARRAY)
        return 0;
    if (v->len > 0)
        n = v->len - 1 + (v->type == JSON_OBJECT ? v->len : 0);
    for (const struct json *child = v->first; child; child = child->next)
        n += spaces(child);
    return n;
}

enum errc tx_read_form(const struct json *v, size_t *canonical_bytes, struct err *err)
{
    const struct json *metadata;
    const char *text;
    uint8_t txid[32];

    if (!has_all_keys(v))
        return bad(err, "not an object of the fifteen keys");
    metadata = tx_at(v, TX_METADATA);
    if (!json_hash(tx_at(v, TX_TXID), txid))
        return bad(err, "txid is not 64 lower-case hex digits");
    if (!is_text_or_null(tx_at(v, TX_PUBLIC_KEY)) ||
        !is_text_or_null(tx_at(v, TX_SIGNATURE)) ||
        !is_text_or_null(tx_at(v, TX_REPLACES_TXID)))
        return bad(err, "public_key, signature or replaces_txid is no text");
    if (!json_text(tx_at(v, TX_TYPE), &text) ||
        tx_at(v, TX_RBF_ENABLED)->type != JSON_BOOL)
        return bad(err, "tx_type is no text or rbf_enabled no boolean");
    if (metadata->type != JSON_OBJECT || json_size(metadata) > METADATA_BYTES_MAX)
        return bad(err, "metadata is no object of at most 4096 bytes");
    *canonical_bytes = json_size(v);
    if (*canonical_bytes + spaces(v) > TX_BYTES_MAX)
        return err_fail(err, REASON_BLOCK_TOO_LARGE, "transaction over %d bytes",
                        TX_BYTES_MAX);
    return ERR_OK;
}
