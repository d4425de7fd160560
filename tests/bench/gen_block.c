#include <secp256k1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/pyfloat.h"
#include "sync/chain/address.h"
#include "sync/chain/merkle.h"
#include "tests/bench/gen_block.h"

enum { TEXT_MAX = 4 << 20, SPACING_SECONDS = 120, DIGITS = 64 };
static const double fee = 0.0001;

static void put_number(struct buf *out, double value)
{
    char text[PYFLOAT_TEXT];

    buf_put(out, text, pyfloat_repr(value, text));
}

/* Made by the first key, before there are threads. */
static secp256k1_context *signer(void)
{
    static secp256k1_context *ctx;

    if (!ctx)
        ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    return ctx;
}

void gen_block_begin(struct gen_block *b, const struct header *parent)
{
    memset(b, 0, sizeof(*b));
    b->text = BUF(TEXT_MAX);
    b->header.version = 1;
    b->header.has_version = true;
    b->header.difficulty = 1;
    if (!parent) {
        b->header.timestamp = 1735689600.0; /* the start of 2025 */
        return;
    }
    b->header.height = parent->height + 1;
    b->header.timestamp = parent->timestamp + SPACING_SECONDS;
    memcpy(b->header.prev, parent->hash, 32);
}

/* The two halves of a transaction around what txid covers: CANON of the nine fields
   gives the txid; the fifteen go on the wire. */
struct fields {
    const char *sender, *recipient;
    double amount, fee;
    const struct outpoint *in;
    const struct coin *outputs;
    size_t output_count;
};

static void put_inputs(struct buf *out, const struct fields *f)
{
    char hex[DIGITS + 1];

    if (!f->in) {
        buf_puts(out, "[]");
        return;
    }
    hex_encode(f->in->txid, 32, hex);
    buf_printf(out, "[{\"txid\":\"%s\",\"vout\":%u}]", hex, f->in->vout);
}

static void put_outputs(struct buf *out, const struct fields *f)
{
    buf_puts(out, "[");
    for (size_t i = 0; i < f->output_count; i++) {
        buf_puts(out, i ? ",{\"address\":\"" : "{\"address\":\"");
        buf_puts(out, f->outputs[i].address);
        buf_puts(out, "\",\"amount\":");
        put_number(out, f->outputs[i].amount);
        buf_puts(out, "}");
    }
    buf_puts(out, "]");
}

static void put_middle(struct buf *out, const struct fields *f, const char *extra)
{
    buf_puts(out, "\"fee\":");
    put_number(out, f->fee);
    buf_puts(out, ",\"inputs\":");
    put_inputs(out, f);
    buf_puts(out, extra);
    buf_puts(out, f->in ? ",\"nonce\":1,\"outputs\":" : ",\"nonce\":null,\"outputs\":");
    put_outputs(out, f);
}

static void compute_txid(const struct gen_block *b, const struct fields *f,
                         char hex[DIGITS + 1])
{
    CLEANUP_BUF struct buf t = BUF(TEXT_MAX);
    uint8_t txid[32];

    buf_puts(&t, "{\"amount\":");
    put_number(&t, f->amount);
    buf_puts(&t, ",\"chain_context\":\"testnet\",");
    put_middle(&t, f, "");
    buf_printf(&t,
               ",\"recipient\":\"%s\",\"sender\":\"%s\",\"timestamp\":", f->recipient,
               f->sender);
    put_number(&t, b->header.timestamp);
    buf_puts(&t, "}");
    hash_sha256(t.data, t.len, txid);
    hex_encode(txid, 32, hex);
}

static void add(struct gen_block *b, const struct fields *f, const char *key,
                const char *signature, const char *txid)
{
    struct buf *out = &b->text;

    buf_puts(out, b->count ? ",{\"amount\":" : "{\"amount\":");
    put_number(out, f->amount);
    buf_puts(out, ",");
    put_middle(out, f, ",\"metadata\":{}");
    buf_printf(out,
               ",\"public_key\":%s,\"rbf_enabled\":false,\"recipient\":\"%s\","
               "\"replaces_txid\":null,\"sender\":\"%s\",\"signature\":%s,"
               "\"timestamp\":",
               key, f->recipient, f->sender, signature);
    put_number(out, b->header.timestamp);
    buf_printf(out, ",\"tx_type\":\"%s\",\"txid\":\"%s\"}",
               f->in ? "normal" : "coinbase", txid);
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->txids = xrealloc(b->txids, b->cap * DIGITS);
    }
    memcpy(b->txids + DIGITS * b->count++, txid, DIGITS);
}

void gen_block_coinbase(struct gen_block *b, struct coin *outputs, size_t n)
{
    struct fields f = {.sender = "COINBASE",
                       .recipient = outputs[0].address,
                       .outputs = outputs,
                       .output_count = n};
    char txid[DIGITS + 1];

    for (size_t i = 0; i < n; i++)
        f.amount += outputs[i].amount;
    compute_txid(b, &f, txid);
    for (size_t i = 0; i < n; i++) {
        (void)hex_hash(txid, outputs[i].at.txid);
        outputs[i].at.vout = (uint32_t)i;
    }
    add(b, &f, "null", "null", txid);
}

void gen_key_make(uint64_t number, const struct chain_params *params,
                  struct gen_key *out)
{
    uint8_t full[65];
    size_t len = sizeof(full);
    secp256k1_pubkey point;

    hash_sha256(&number, sizeof(number), out->secret);
    if (secp256k1_ec_pubkey_create(signer(), &point, out->secret) != 1)
        abort();
    (void)secp256k1_ec_pubkey_serialize(signer(), full, &len, &point,
                                        SECP256K1_EC_UNCOMPRESSED);
    hex_encode(full + 1, 64, out->public_hex);
    address_of_key(full + 1, params, out->address);
}

static void sign(const uint8_t secret[32], const char *txid, char quoted[131])
{
    secp256k1_ecdsa_signature signature;
    uint8_t digest[32], raw[64];

    hash_sha256(txid, DIGITS, digest);
    if (secp256k1_ecdsa_sign(signer(), &signature, digest, secret, NULL, NULL) != 1)
        abort();
    (void)secp256k1_ecdsa_signature_serialize_compact(signer(), raw, &signature);
    hex_encode(raw, 64, quoted + 1);
    quoted[0] = quoted[129] = '"';
    quoted[130] = '\0';
}

void gen_block_transfer(struct gen_block *b, const struct gen_key *owner,
                        const struct coin *in, const char *to)
{
    struct coin outputs[2] = {{.amount = in->amount / 2},
                              {.amount = in->amount / 2 - 2 * fee}};
    struct fields f = {.sender = owner->address,
                       .recipient = to,
                       .amount = outputs[0].amount,
                       .fee = fee,
                       .in = &in->at,
                       .outputs = outputs,
                       .output_count = 2};
    char txid[DIGITS + 1], signature[131], key[131];

    (void)snprintf(outputs[0].address, sizeof(outputs[0].address), "%s", to);
    (void)snprintf(outputs[1].address, sizeof(outputs[1].address), "%s",
                   owner->address);
    (void)snprintf(key, sizeof(key), "\"%s\"", owner->public_hex);
    compute_txid(b, &f, txid);
    sign(owner->secret, txid, signature);
    add(b, &f, key, signature, txid);
}

void gen_block_end(struct gen_block *b, struct buf *out)
{
    struct header *h = &b->header;
    char hash[DIGITS + 1], prev[DIGITS + 1], root[DIGITS + 1];
    char signature[131] = "null", key[131] = "null";

    merkle_root(b->txids, b->count, h->merkle_root);
    do {
        h->nonce++;
        header_hash(h, h->hash);
    } while (!header_has_pow(h));
    hex_encode(h->hash, 32, hash);
    if (b->miner) {
        sign(b->miner->secret, hash, signature);
        (void)snprintf(key, sizeof(key), "\"%s\"", b->miner->public_hex);
        memcpy(h->signature, signature + 1, 128);
        memcpy(h->miner_pubkey, b->miner->public_hex, 128);
    }
    hex_encode(h->prev, 32, prev);
    hex_encode(h->merkle_root, 32, root);
    buf_printf(out,
               "{\"difficulty\":%u,\"hash\":\"%s\",\"index\":%llu,\"merkle_root\":"
               "\"%s\",\"miner\":\"bench\",\"miner_pubkey\":%s,\"nonce\":%llu,"
               "\"previous_hash\":\"%s\",\"signature\":%s,\"timestamp\":",
               h->difficulty, hash, (unsigned long long)h->height, root, key,
               (unsigned long long)h->nonce, prev, signature);
    put_number(out, h->timestamp);
    buf_puts(out, ",\"transactions\":[");
    buf_put(out, b->text.data, b->text.len);
    buf_puts(out, "],\"version\":1}");
    if (out->full)
        abort();
    buf_fini(&b->text);
    free(b->txids);
}
