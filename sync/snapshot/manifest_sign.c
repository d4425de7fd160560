#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "sync/chain/ecdsa.h"
#include "sync/snapshot/manifest.h"

/* What XAI's signers sign. */
static void xai_digest(const struct manifest *m, uint8_t out[32])
{
    char hex[65];

    hex_encode(m->xai_state_hash, 32, hex);
    trust_digest(m->height, m->block_hash, hex, out);
}

/* Stock signers do not normalise s, so a high one counts there (protocol.md 10.4). */
bool manifest_xai_holds(const struct manifest *m, const struct manifest_xai *sig,
                        struct trust_key *key)
{
    uint8_t digest[32], bytes[64];

    if (!m->has_xai_state_hash || !trust_key_parse(sig->pubkey, key) ||
        key->alg != TRUST_SECP256K1 || strlen(sig->signature) != 128 ||
        !hex_decode(sig->signature, 64, true, bytes))
        return false;
    xai_digest(m, digest);
    return ecdsa_check_digest(key->bytes, 33, digest, bytes);
}

static enum errc bad_signature(struct err *err, const struct trust_key *key)
{
    char text[TRUST_KEY_TEXT];

    trust_key_text(key, text);
    return err_fail(err, REASON_BAD_SIGNATURE,
                    "the signature of %s does not fit this manifest", text);
}

enum errc manifest_add(struct manifest *m, const struct trust_signed *sig,
                       struct err *err)
{
    uint8_t digest[32];

    manifest_digest(m, digest);
    if (!trust_key_verify(&sig->key, digest, sig->signature))
        return bad_signature(err, &sig->key);
    return trust_signed_add(&m->signatures, &m->signature_count, sig, err);
}

/* Where its point belongs; *there when it has signed already. */
static size_t xai_place(const struct manifest *m, const struct trust_key *key,
                        bool *there)
{
    size_t at = 0;

    *there = false;
    for (; at < m->xai_count; at++) {
        struct trust_key other;
        int order;

        (void)trust_key_parse(m->xai[at].pubkey, &other); /* it was a key */
        order = trust_key_compare(&other, key);
        *there = order == 0;
        if (order >= 0)
            break;
    }
    return at;
}

enum errc manifest_add_xai(struct manifest *m, const struct manifest_xai *sig,
                           struct err *err)
{
    struct trust_key key;
    bool there;
    size_t at;

    if (!m->has_xai_state_hash)
        return err_set(err, ERR_CONFLICT, "the manifest has no xai_state_hash");
    if (!manifest_xai_holds(m, sig, &key))
        return err_fail(err, REASON_BAD_SIGNATURE,
                        "the signature of %.130s does not fit this manifest",
                        sig->pubkey);
    at = xai_place(m, &key, &there);
    if (there)
        return err_set(err, ERR_CONFLICT, "this key has signed already");
    if (m->xai_count == MANIFEST_SIGNATURES_MAX)
        return err_set(err, ERR_CONFLICT, "there are %d signatures already",
                       MANIFEST_SIGNATURES_MAX);
    m->xai = xrealloc(m->xai, (m->xai_count + 1) * sizeof(*m->xai));
    memmove(m->xai + at + 1, m->xai + at, (m->xai_count - at) * sizeof(*m->xai));
    m->xai[at] = *sig;
    m->xai_count++;
    return ERR_OK;
}

static bool signed_with(const struct manifest *m, const uint8_t digest[32],
                        const struct trust_key *key)
{
    for (size_t i = 0; i < m->signature_count; i++)
        if (trust_key_equal(&m->signatures[i].key, key))
            return trust_key_verify(key, digest, m->signatures[i].signature);
    return false;
}

size_t manifest_signed(const struct manifest *m, const struct trust_key *keys,
                       size_t key_count, bool *signed_by)
{
    uint8_t digest[32];
    size_t n = 0;

    manifest_digest(m, digest);
    for (size_t i = 0; i < key_count; i++) {
        bool holds = signed_with(m, digest, &keys[i]);

        n += holds;
        if (signed_by)
            signed_by[i] = holds;
    }
    return n;
}

enum errc manifest_check_signatures(const struct manifest *m, struct err *err)
{
    uint8_t digest[32];

    manifest_digest(m, digest);
    for (size_t i = 0; i < m->signature_count; i++)
        if (!trust_key_verify(&m->signatures[i].key, digest,
                              m->signatures[i].signature))
            return bad_signature(err, &m->signatures[i].key);
    for (size_t i = 0; i < m->xai_count; i++) {
        struct trust_key key;

        if (!manifest_xai_holds(m, &m->xai[i], &key))
            return bad_signature(err, &key);
    }
    return ERR_OK;
}

static bool has_key(const struct manifest *m, const struct trust_key *key)
{
    for (size_t i = 0; i < m->signature_count; i++)
        if (trust_key_equal(&m->signatures[i].key, key))
            return true;
    return false;
}

static enum errc take_all(struct manifest *m, const struct manifest *from,
                          struct err *err)
{
    for (size_t i = 0; i < from->signature_count; i++)
        if (!has_key(m, &from->signatures[i].key) &&
            manifest_add(m, &from->signatures[i], err))
            return err->code;
    for (size_t i = 0; i < from->xai_count; i++) {
        struct trust_key key;
        bool there = false;

        if (trust_key_parse(from->xai[i].pubkey, &key))
            (void)xai_place(m, &key, &there);
        if (!there && manifest_add_xai(m, &from->xai[i], err))
            return err->code;
    }
    return ERR_OK;
}

enum errc manifest_merge(struct manifest *into, const struct manifest *from,
                         size_t *added, struct err *err)
{
    CLEANUP(manifest_free) struct manifest *m = manifest_copy(into);
    uint8_t ours[32], theirs[32];
    struct manifest old;

    manifest_digest(into, ours);
    manifest_digest(from, theirs);
    if (memcmp(ours, theirs, sizeof(ours)) != 0)
        return err_set(err, ERR_CONFLICT, "the manifests are of two snapshots");
    if (take_all(m, from, err))
        return err->code;
    *added =
        m->signature_count + m->xai_count - into->signature_count - into->xai_count;
    old = *into;
    *into = *m;
    *m = old;
    return ERR_OK;
}
