#include <string.h>

#include "sync/chain/tx.h"

enum { METADATA_BYTES_MAX = 4096, TX_BYTES_MAX = 100000, KEYS = 15 };

static enum errc bad(struct err *err, const char *what)
{
    return err_fail(err, REASON_BLOCK_MALFORMED, "transaction: %s", what);
}

static bool has_all_keys(const struct json *v)
{
    static const char *const sorted[KEYS] = {
        "amount",  "fee",        "inputs",      "metadata",  "nonce",
        "outputs", "public_key", "rbf_enabled", "recipient", "replaces_txid",
        "sender",  "signature",  "timestamp",   "tx_type",   "txid"};

    if (v->type != JSON_OBJECT || v->len != KEYS)
        return false;
    for (size_t i = 0; i < KEYS; i++) {
        const struct json *member = v->sorted[i];

        if (strlen(sorted[i]) != member->key_len ||
            memcmp(sorted[i], member->key, member->key_len) != 0)
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
    const struct json *metadata = json_get(v, "metadata");
    const char *text;
    uint8_t txid[32];

    if (!has_all_keys(v))
        return bad(err, "not an object of the fifteen keys");
    if (!json_hash(json_get(v, "txid"), txid))
        return bad(err, "txid is not 64 lower-case hex digits");
    if (!is_text_or_null(json_get(v, "public_key")) ||
        !is_text_or_null(json_get(v, "signature")) ||
        !is_text_or_null(json_get(v, "replaces_txid")))
        return bad(err, "public_key, signature or replaces_txid is no text");
    if (!json_text(json_get(v, "tx_type"), &text) ||
        json_get(v, "rbf_enabled")->type != JSON_BOOL)
        return bad(err, "tx_type is no text or rbf_enabled no boolean");
    if (metadata->type != JSON_OBJECT || json_size(metadata) > METADATA_BYTES_MAX)
        return bad(err, "metadata is no object of at most 4096 bytes");
    *canonical_bytes = json_size(v);
    if (*canonical_bytes + spaces(v) > TX_BYTES_MAX)
        return err_fail(err, REASON_BLOCK_TOO_LARGE, "transaction over %d bytes",
                        TX_BYTES_MAX);
    return ERR_OK;
}
