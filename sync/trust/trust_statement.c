#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "sync/trust/trust_statement_text.h"

const char *trust_statement_type_name(enum trust_statement_type type)
{
    static const char *const names[] = {
        [TRUST_REVOCATION] = "revocation",
        [TRUST_ATTESTATION] = "attestation",
        [TRUST_SIGNER_SET] = "signer-set",
    };

    return names[type];
}

void trust_statement_free(struct trust_statement *s)
{
    if (!s)
        return;
    free(s->set);
    free(s->signatures);
    free(s);
}

struct trust_statement *trust_statement_new(enum trust_statement_type type,
                                            const struct chain_params *params)
{
    struct trust_statement *s = xcalloc(1, sizeof(*s));

    s->type = type;
    memcpy(s->network, params->network, sizeof(s->network));
    memcpy(s->genesis_hash, params->genesis_hash, 32);
    if (type == TRUST_SIGNER_SET)
        s->set = xcalloc(1, sizeof(*s->set));
    return s;
}

enum errc trust_statement_add(struct trust_statement *s, const struct trust_signed *sig,
                              struct err *err)
{
    return trust_signed_add(&s->signatures, &s->signature_count, sig, err);
}

void trust_statement_write(const struct trust_statement *s, struct buf *out)
{
    trust_statement_text_body(s, true, out);
}

/* SHA-256 of "cairn-<type>-v1", a NUL, and the document without its signatures. */
void trust_statement_digest(const struct trust_statement *s, uint8_t out[32])
{
    CLEANUP_BUF struct buf text = BUF(TRUST_STATEMENT_MAX);

    buf_printf(&text, "cairn-%s-v1", trust_statement_type_name(s->type));
    buf_put(&text, "", 1);
    trust_statement_text_body(s, false, &text);
    hash_sha256(text.data, text.len, out);
}

bool trust_statement_of(const struct trust_statement *s,
                        const struct chain_params *params)
{
    return strcmp(s->network, params->network) == 0 &&
           memcmp(s->genesis_hash, params->genesis_hash, 32) == 0;
}

static bool listed(const struct trust_key *key, const struct trust_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (trust_key_equal(key, &keys[i]))
            return true;
    return false;
}

size_t trust_statement_signed(const struct trust_statement *s,
                              const struct trust_key *keys, size_t key_count)
{
    uint8_t digest[32];
    size_t named = 0, n = 0;

    for (size_t i = 0; i < s->signature_count; i++) {
        if (!listed(&s->signatures[i].key, keys, key_count))
            continue;
        if (named++ == 0)
            trust_statement_digest(s, digest);
        n +=
            trust_key_verify(&s->signatures[i].key, digest, s->signatures[i].signature);
    }
    return n;
}
