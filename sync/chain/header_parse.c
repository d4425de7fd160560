#include <math.h>
#include <string.h>

#include "sync/chain/header.h"

static const double TIMESTAMP_MAX = 253402300799.0; /* the end of year 9999 */

static enum errc bad(struct err *err, const char *what)
{
    return err_fail(err, REASON_BLOCK_MALFORMED, "header: %s", what);
}

/* Stock's block has these and no others; a bare header lacks the last two. */
static bool is_known(const struct json *member)
{
    static const char *const keys[] = {"index",       "timestamp",    "previous_hash",
                                       "merkle_root", "nonce",        "hash",
                                       "difficulty",  "signature",    "miner_pubkey",
                                       "version",     "transactions", "miner"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strlen(keys[i]) == member->key_len &&
            memcmp(keys[i], member->key, member->key_len) == 0)
            return true;
    return false;
}

/* null or a text of at most max bytes; null is kept as "". */
static bool read_optional(const struct json *v, char *out, size_t max)
{
    const char *text;

    if (v && v->type == JSON_NULL)
        return true;
    if (!v || !json_text(v, &text) || v->len == 0 || v->len > max)
        return false;
    memcpy(out, text, v->len + 1);
    return true;
}

bool header_is_time(double seconds)
{
    return isfinite(seconds) && !signbit(seconds) && seconds <= TIMESTAMP_MAX;
}

/* An integer is the same time: it is hashed as N.0. */
static bool read_timestamp(const struct json *v, double *out)
{
    double t;

    if (!json_double(v, &t) || !header_is_time(t))
        return false;
    *out = t;
    return true;
}

static enum errc read_numbers(const struct json *v, struct header *h, struct err *err)
{
    const struct json *version = json_get(v, "version");
    uint64_t difficulty;

    if (!json_u64(json_get(v, "index"), &h->height))
        return bad(err, "index is no integer of 0 or more");
    if (!read_timestamp(json_get(v, "timestamp"), &h->timestamp))
        return bad(err, "timestamp is no number from 0 to the year 9999");
    if (!json_u64(json_get(v, "difficulty"), &difficulty) ||
        difficulty > HEADER_DIFFICULTY_MAX)
        return bad(err, "difficulty is no integer from 0 to 64");
    h->difficulty = (uint32_t)difficulty;
    if (!json_u64(json_get(v, "nonce"), &h->nonce))
        return bad(err, "nonce is no integer of 0 or more");
    h->has_version = !json_is_null(version);
    if (h->has_version && !json_u64(version, &h->version))
        return bad(err, "version is no integer of 0 or more");
    return ERR_OK;
}

static enum errc read_texts(const struct json *v, struct header *h, struct err *err)
{
    if (!json_hash(json_get(v, "previous_hash"), h->prev))
        return bad(err, "previous_hash is not 64 lower-case hex digits");
    if (!json_hash(json_get(v, "merkle_root"), h->merkle_root))
        return bad(err, "merkle_root is not 64 lower-case hex digits");
    if (!read_optional(json_get(v, "signature"), h->signature, HEADER_SIGNATURE_MAX))
        return bad(err, "signature is neither null nor a text of at most 128");
    if (!read_optional(json_get(v, "miner_pubkey"), h->miner_pubkey, HEADER_PUBKEY_MAX))
        return bad(err, "miner_pubkey is neither null nor a text of at most 128");
    return ERR_OK;
}

enum errc header_parse(const struct json *v, struct header *out, struct err *err)
{
    struct header h = {0};
    uint8_t claimed[32];

    if (!v || v->type != JSON_OBJECT)
        return bad(err, "not an object");
    for (const struct json *member = v->first; member; member = member->next)
        if (!is_known(member))
            return bad(err, "a key that no block has");
    if (read_numbers(v, &h, err) != ERR_OK || read_texts(v, &h, err) != ERR_OK)
        return err->code;
    if (!json_hash(json_get(v, "hash"), claimed))
        return bad(err, "hash is not 64 lower-case hex digits");
    header_hash(&h, h.hash);
    if (memcmp(claimed, h.hash, sizeof(claimed)) != 0)
        return err_fail(err, REASON_BLOCK_HASH_MISMATCH,
                        "header %llu: hash is not the hash of its fields",
                        (unsigned long long)h.height);
    *out = h;
    return ERR_OK;
}
