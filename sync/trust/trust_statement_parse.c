#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sync/trust/trust_statement.h"

/*
 * Members are read, and then the whole is written again: a text that is not what comes
 * out is refused, so there is no other member, order or spelling.
 */
static const struct json_limits limits = {
    .max_bytes = TRUST_STATEMENT_MAX, .max_nodes = 512, .max_depth = 4};

static const uint64_t height_max = (UINT64_C(1) << 53) - 1; /* as JSON readers keep */

static enum errc wrong(struct err *err, const char *member)
{
    return err_set(err, ERR_INVALID, "statement: %s: missing or malformed", member);
}

static bool read_type(const struct json *v, enum trust_statement_type *out)
{
    const char *text;

    if (!json_text(v, &text))
        return false;
    for (enum trust_statement_type i = TRUST_REVOCATION; i <= TRUST_SIGNER_SET; i++) {
        if (strcmp(text, trust_statement_type_name(i)) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* At most max bytes and their NUL; not empty unless may_be. */
static bool read_text(const struct json *v, size_t max, bool may_be_empty, char *out)
{
    const char *text;
    size_t len;

    if (!json_text(v, &text))
        return false;
    len = strlen(text);
    if (len > max || (len == 0 && !may_be_empty))
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool read_u64(const struct json *v, uint64_t max, uint64_t *out)
{
    uint64_t n;

    if (!json_u64(v, &n) || n > max)
        return false;
    *out = n;
    return true;
}

static enum errc read_block(const struct json *root, struct trust_statement *s,
                            struct err *err)
{
    if (!read_u64(json_get(root, "height"), height_max, &s->height))
        return wrong(err, "height");
    if (!json_hash(json_get(root, "block_hash"), s->block_hash))
        return wrong(err, "block_hash");
    if (s->type == TRUST_ATTESTATION &&
        !json_hash(json_get(root, "state_root"), s->state_root))
        return wrong(err, "state_root");
    if (s->type == TRUST_REVOCATION &&
        !read_text(json_get(root, "reason"), TRUST_REASON_MAX, true, s->reason))
        return wrong(err, "reason");
    return ERR_OK;
}

static bool ascends(const struct trust_set *set, const struct trust_key *next)
{
    return set->key_count == 0 ||
           trust_key_compare(&set->keys[set->key_count - 1], next) < 0;
}

static bool read_keys(const struct json *v, struct trust_set *set)
{
    if (!v || v->type != JSON_ARRAY || v->len == 0 || v->len > TRUST_KEYS_MAX)
        return false;
    for (const struct json *k = v->first; k; k = k->next) {
        struct trust_key key;
        const char *text;

        if (!json_text(k, &text) || !trust_key_parse(text, &key) || !ascends(set, &key))
            return false;
        set->keys[set->key_count++] = key;
    }
    return true;
}

static enum errc read_set(const struct json *root, struct trust_statement *s,
                          struct err *err)
{
    struct trust_set *set = s->set = xcalloc(1, sizeof(*set));
    uint64_t threshold;

    if (!read_keys(json_get(root, "keys"), set))
        return wrong(err, "keys");
    if (!read_u64(json_get(root, "sequence"), height_max, &set->sequence))
        return wrong(err, "sequence");
    if (!json_hash(json_get(root, "previous"), set->previous))
        return wrong(err, "previous");
    if (!read_u64(json_get(root, "threshold"), set->key_count, &threshold) ||
        threshold == 0)
        return wrong(err, "threshold");
    set->threshold = (unsigned)threshold;
    return ERR_OK;
}

static enum errc read_all(const struct json *root, struct trust_statement *s,
                          struct err *err)
{
    if (!read_type(json_get(root, "type"), &s->type))
        return wrong(err, "type");
    if (!read_text(json_get(root, "network"), sizeof(s->network) - 1, false,
                   s->network))
        return wrong(err, "network");
    if (!json_hash(json_get(root, "genesis_hash"), s->genesis_hash))
        return wrong(err, "genesis_hash");
    if (s->type == TRUST_SIGNER_SET ? read_set(root, s, err) : read_block(root, s, err))
        return err->code;
    if (!trust_signed_read(json_get(root, "signatures"), &s->signatures,
                           &s->signature_count))
        return wrong(err, "signatures");
    return ERR_OK;
}

enum errc trust_statement_parse(const char *text, size_t len,
                                struct trust_statement **out, struct err *err)
{
    CLEANUP(trust_statement_free) struct trust_statement *s = xcalloc(1, sizeof(*s));
    CLEANUP(json_free) struct json_doc *doc = NULL;
    CLEANUP_BUF struct buf again = BUF(TRUST_STATEMENT_MAX);
    struct err why;

    if (json_parse(text, len, &limits, &doc, &why))
        return err_set(err, ERR_INVALID, "statement: %.180s", why.msg);
    if (read_all(json_root(doc), s, err))
        return err->code;
    trust_statement_write(s, &again);
    if (again.full || again.len != len || memcmp(again.data, text, len) != 0)
        return err_set(err, ERR_INVALID,
                       "statement: not in its canonical spelling, or with members that "
                       "do not belong");
    *out = TAKE(s);
    return ERR_OK;
}
