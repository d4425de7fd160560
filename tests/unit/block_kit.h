#ifndef TESTS_UNIT_BLOCK_KIT_H
#define TESTS_UNIT_BLOCK_KIT_H

#include <secp256k1.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/chain/merkle.h"
#include "sync/chain/tx.h"
#include "tests/unit/lines.h"

/*
 * Alters the text of a block and makes it whole again: ids, merkle root, proof of work,
 * signatures by the fixture wallets.  Paths are like "transactions/1/outputs/0/amount";
 * every function that takes text frees it and returns another.
 */
static inline struct json_doc *kit_parse(const char *text)
{
    const struct json_limits limits = {1U << 26, 1U << 20, 64};
    struct json_doc *doc = NULL;

    ASSERT_OK(json_parse(text, strlen(text), &limits, &doc, &test_err));
    return doc;
}

static inline const struct json *kit_at(const struct json *v, const char *path)
{
    while (v && *path) {
        size_t len = strcspn(path, "/");
        char step[100];

        (void)snprintf(step, sizeof(step), "%.*s", (int)len, path);
        if (v->type == JSON_ARRAY) {
            const struct json *item = v->first;

            for (unsigned long i = strtoul(step, NULL, 10); item && i > 0; i--)
                item = item->next;
            v = item;
        } else {
            v = json_get(v, step);
        }
        path += len + (path[len] == '/');
    }
    return v;
}

static inline char *kit_text(const char *text, const char *path)
{
    CLEANUP(json_free) struct json_doc *doc = kit_parse(text);
    const struct json *v = kit_at(json_root(doc), path);
    struct buf out = BUF(1U << 26);

    ck_assert_msg(v != NULL, "%s", path);
    json_write(v, JSON_CANON, &out);
    return buf_take(&out);
}

struct kit_edit {
    const struct json *target;
    const char *value; /* NULL: leave out */
    const char *add;   /* after the target's members or items */
};

static inline void kit_write(const struct json *v, const struct kit_edit *e,
                             struct buf *out)
{
    bool object = v->type == JSON_OBJECT, first = true;

    if (v == e->target && !e->add) {
        buf_puts(out, e->value);
        return;
    }
    if (!object && v->type != JSON_ARRAY) {
        json_write(v, JSON_CANON, out);
        return;
    }
    buf_puts(out, object ? "{" : "[");
    for (const struct json *c = v->first; c; c = c->next) {
        if (c == e->target && !e->add && !e->value)
            continue;
        if (!first)
            buf_puts(out, ",");
        first = false;
        if (object) {
            json_write_string(c->key, c->key_len, out);
            buf_puts(out, ":");
        }
        kit_write(c, e, out);
    }
    if (v == e->target)
        buf_printf(out, "%s%s", first ? "" : ",", e->add);
    buf_puts(out, object ? "}" : "]");
}

static inline char *kit_edit(char *text, const char *path, const char *value,
                             const char *add)
{
    CLEANUP(json_free) struct json_doc *doc = kit_parse(text);
    struct kit_edit e = {kit_at(json_root(doc), path), value, add};
    struct buf out = BUF(1U << 26);

    ck_assert_msg(e.target != NULL, "%s", path);
    kit_write(json_root(doc), &e, &out);
    free(text);
    return buf_take(&out);
}

static inline char *kit_set(char *text, const char *path, const char *value)
{
    return kit_edit(text, path, value, NULL);
}

static inline char *kit_remove(char *text, const char *path)
{
    return kit_edit(text, path, NULL, NULL);
}

/* item: a value for an array, "\"key\":value" for an object. */
static inline char *kit_add(char *text, const char *path, const char *item)
{
    return kit_edit(text, path, NULL, item);
}

static inline char *kit_set_hash(char *text, const char *path, const uint8_t hash[32])
{
    char quoted[67] = "\"";

    hex_encode(hash, 32, quoted + 1);
    quoted[65] = '"';
    return kit_set(text, path, quoted);
}

static inline char *kit_ids(char *text)
{
    CLEANUP(json_free) struct json_doc *doc = kit_parse(text);
    const struct json *list = json_get(json_root(doc), "transactions");
    CLEANUP_BUF struct buf scratch = BUF(1U << 24);
    size_t i = 0;

    for (const struct json *v = list->first; v; v = v->next, i++) {
        char path[64];
        uint8_t id[32];

        tx_id(v, "testnet", &scratch, id);
        (void)snprintf(path, sizeof(path), "transactions/%zu/txid", i);
        text = kit_set_hash(text, path, id);
    }
    return text;
}

static inline char *kit_root(char *text)
{
    CLEANUP(json_free) struct json_doc *doc = kit_parse(text);
    struct merkle m;
    uint8_t root[32];

    merkle_init(&m);
    for (const struct json *v = json_get(json_root(doc), "transactions")->first; v;
         v = v->next)
        merkle_add(&m, text_of(v, "txid"));
    merkle_finish(&m, root);
    return kit_set_hash(text, "merkle_root", root);
}

/* A nonce that meets the difficulty, or with worthless one that does not; no miner's
   signature. */
static inline char *kit_mine_as(char *text, bool worthless)
{
    CLEANUP(json_free) struct json_doc *doc = kit_parse(text);
    const struct json *v = json_root(doc);
    struct header h = {.height = u64_of(v, "index"),
                       .timestamp = double_of(v, "timestamp"),
                       .difficulty = (uint32_t)u64_of(v, "difficulty")};
    char number[32];

    hash_of(v, "previous_hash", h.prev);
    hash_of(v, "merkle_root", h.merkle_root);
    h.has_version = json_u64(json_get(v, "version"), &h.version);
    do {
        h.nonce++;
        header_hash(&h, h.hash);
    } while (header_has_pow(&h) == worthless);
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)h.nonce);
    text = kit_set(text, "nonce", number);
    text = kit_set_hash(text, "hash", h.hash);
    text = kit_set(text, "signature", "null");
    return kit_set(text, "miner_pubkey", "null");
}

static inline char *kit_mine(char *text)
{
    return kit_mine_as(text, false);
}

/* Ids, merkle root and proof of work. */
static inline char *kit_remake(char *text)
{
    return kit_mine(kit_root(kit_ids(text)));
}

static inline void kit_private_key(const char *address, uint8_t out[32])
{
    CLEANUP(json_free) struct json_doc *keys = lines_document("keys.json");

    for (const struct json *k = json_root(keys)->first; k; k = k->next) {
        const char *owner;

        if (json_text(json_get(k, "txai_address"), &owner) &&
            strcmp(owner, address) == 0) {
            hash_of(k, "private_key", out);
            return;
        }
    }
    ck_abort_msg("no key for %s", address);
}

static inline void kit_sign_digest(const uint8_t secret[32], const uint8_t digest[32],
                                   uint8_t key[64], uint8_t sig[64])
{
    secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
    secp256k1_ecdsa_signature s;
    secp256k1_pubkey point;
    uint8_t full[65];
    size_t len = sizeof(full);

    ck_assert(secp256k1_ec_pubkey_create(ctx, &point, secret));
    ck_assert(secp256k1_ecdsa_sign(ctx, &s, digest, secret, NULL, NULL));
    (void)secp256k1_ec_pubkey_serialize(ctx, full, &len, &point,
                                        SECP256K1_EC_UNCOMPRESSED);
    (void)secp256k1_ecdsa_signature_serialize_compact(ctx, sig, &s);
    memcpy(key, full + 1, 64);
    secp256k1_context_destroy(ctx);
}

/* Signs transaction i, as it stands, with the key of owner, or of its sender. */
static inline char *kit_sign_as(char *text, size_t i, const char *owner)
{
    CLEANUP(json_free) struct json_doc *doc = kit_parse(text);
    CLEANUP_BUF struct buf scratch = BUF(1U << 24);
    uint8_t id[32], digest[32], secret[32], key[64], sig[64];
    char path[64], hex[131] = "\"";
    const struct json *tx;

    (void)snprintf(path, sizeof(path), "transactions/%zu", i);
    tx = kit_at(json_root(doc), path);
    tx_id(tx, "testnet", &scratch, id);
    hex_encode(id, 32, hex);
    hash_sha256(hex, 64, digest);
    kit_private_key(owner ? owner : text_of(tx, "sender"), secret);
    kit_sign_digest(secret, digest, key, sig);
    hex[0] = '"';
    hex_encode(key, 64, hex + 1);
    hex[129] = '"';
    hex[130] = '\0';
    (void)snprintf(path, sizeof(path), "transactions/%zu/public_key", i);
    text = kit_set(text, path, hex);
    hex_encode(sig, 64, hex + 1);
    hex[129] = '"';
    (void)snprintf(path, sizeof(path), "transactions/%zu/signature", i);
    return kit_set(text, path, hex);
}

static inline char *kit_sign(char *text, size_t i)
{
    return kit_sign_as(text, i, NULL); /* its sender's */
}

#endif
