#include <math.h>
#include <secp256k1.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "sync/p2p/envelope.h"
#include "sync/p2p/envelope_pow.h"

enum {
    KEY_HEX = 2 * P2P_KEY_BYTES,
    /* Canonical text of a message is at most six times as long (U+007F). */
    CANON_MAX = 6 * ENVELOPE_MAX,
    POW_BASE_MAX = 512,
    DIFFICULTY_MAX = 255,
};
static const double time_max = 253402300799; /* year 9999, as of blocks */

/* Every node of a text of ENVELOPE_MAX bytes: a block that is right may be made of very
   small ones.  Six levels are around a block, JSON_LIMITS_BLOCK allows it 64. */
static const struct json_limits limits = {
    .max_bytes = ENVELOPE_MAX, .max_nodes = 1U << 19, .max_depth = 70};

/* An envelope while it is looked at; texts are the document's. */
struct parts {
    const struct json *message, *payload, *pow;
    const char *nonce;
    double timestamp;
    char key_hex[KEY_HEX + 1];
    uint8_t key[P2P_KEY_BYTES];
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature signature;
};

static enum errc bad(struct err *err, const char *what)
{
    return err_fail(err, REASON_PEER_BAD_ENVELOPE, "%s", what);
}

/* "<66 hex digits>.<DER in hex>", lower-case as stock writes it: one spelling, so that
   nobody on the way can make two messages of one. */
static enum errc read_signature(const struct json *v, struct parts *p, struct err *err)
{
    uint8_t der[P2P_KEY_SIG_MAX];
    const char *text;
    size_t digits;

    if (!json_text(v, &text) || v->len <= KEY_HEX + 1 || text[KEY_HEX] != '.' ||
        !hex_decode(text, P2P_KEY_BYTES, true, p->key))
        return bad(err, "signature is not a compressed key and a signature");
    memcpy(p->key_hex, text, KEY_HEX);
    text += KEY_HEX + 1;
    digits = v->len - KEY_HEX - 1;
    if (digits % 2 != 0 || digits / 2 > sizeof(der) ||
        !hex_decode(text, digits / 2, true, der) ||
        !secp256k1_ecdsa_signature_parse_der(secp256k1_context_static, &p->signature,
                                             der, digits / 2))
        return bad(err, "signature is not DER in hex");
    if (!secp256k1_ec_pubkey_parse(secp256k1_context_static, &p->point, p->key,
                                   sizeof(p->key)))
        return bad(err, "the key is no point");
    return ERR_OK;
}

static enum errc read_message(struct parts *p, bool testnet, struct err *err)
{
    const struct json *m = p->message, *sender = json_get(m, "sender_id"),
                      *nonce = json_get(m, "nonce");
    uint8_t digest[32];
    char id[17];
    const char *text;

    p->payload = json_get(m, "payload");
    p->pow = json_get(m, "pow");
    if (!p->payload || p->payload->type != JSON_OBJECT)
        return bad(err, "payload is no object");
    if (!json_text(nonce, &p->nonce) || nonce->len == 0 ||
        nonce->len > ENVELOPE_NONCE_MAX)
        return bad(err, "nonce is no text of 1 to 128 bytes");
    if (!json_double(json_get(m, "timestamp"), &p->timestamp) || p->timestamp < 0 ||
        p->timestamp > time_max)
        return bad(err, "timestamp is no time");
    if (json_get(m, "session_id") || json_get(m, "hmac"))
        return bad(err, "a session that was never agreed on");
    if (!sender)
        return ERR_OK;
    hash_sha256(p->key, sizeof(p->key), digest);
    hex_encode(digest, 8, id);
    if (!json_text(sender, &text) || (!testnet && strcmp(text, id) != 0))
        return bad(err, "sender_id is not the key's");
    return ERR_OK;
}

static enum errc check_time(double timestamp, int64_t now_ms, struct err *err)
{
    double age = (double)now_ms / 1000.0 - timestamp;

    if (age > ENVELOPE_AGE_MAX_S)
        return err_fail(err, REASON_PEER_BAD_ENVELOPE, "stale: %.0f s old", age);
    if (-age > ENVELOPE_FUTURE_MAX_S)
        return err_fail(err, REASON_PEER_BAD_ENVELOPE, "from %.0f s ahead", -age);
    return ERR_OK;
}

/* The canonical text of the message, once, and the hash of the payload's in it. */
static void write_message(const struct parts *p, struct buf *out, uint8_t hash[32])
{
    buf_puts(out, "{");
    for (size_t i = 0; i < p->message->len; i++) {
        const struct json *v = p->message->sorted[i];
        size_t start;

        if (i > 0)
            buf_puts(out, ",");
        json_write_string(v->key, v->key_len, out);
        buf_puts(out, ":");
        start = out->len;
        json_write(v, JSON_CANON, out);
        if (v == p->payload)
            hash_sha256(out->data + start, out->len - start, hash);
    }
    buf_puts(out, "}");
}

/* What is claimed counts: stock solves 18 bits or fewer and believes 1 (docs/adr). */
static enum errc check_pow(const struct parts *p, const uint8_t payload_hash[32],
                           bool testnet, struct err *err)
{
    CLEANUP_BUF struct buf base = BUF(POW_BASE_MAX);
    const struct json *fallback = json_get(p->pow, "fallback"),
                      *nonce = json_get(p->pow, "nonce");
    uint64_t bits;
    const char *solution;

    if (!p->pow || p->pow->type != JSON_OBJECT)
        return bad(err, "no proof of work");
    if (testnet && fallback && fallback->type == JSON_BOOL && fallback->boolean)
        return ERR_OK;
    if (!json_u64(json_get(p->pow, "difficulty"), &bits) || bits > DIFFICULTY_MAX)
        return bad(err, "pow.difficulty is no integer from 0 to 255");
    if (!json_text(nonce, &solution) || nonce->len > ENVELOPE_NONCE_MAX)
        return bad(err, "pow.nonce is no text of at most 128 bytes");
    envelope_pow_base(p->key_hex, (int64_t)p->timestamp, p->nonce, payload_hash, &base);
    if (!envelope_pow_holds(&base, solution, bits > 0 ? (unsigned)bits : 1))
        return bad(err, "the proof of work does not hold");
    return ERR_OK;
}

static enum errc check_signature(const struct parts *p, const struct buf *text,
                                 struct err *err)
{
    uint8_t digest[32];

    hash_sha256(text->data, text->len, digest);
    hash_sha256(digest, sizeof(digest), digest);
    /* refuses a high s */
    if (!secp256k1_ecdsa_verify(secp256k1_context_static, &p->signature, digest,
                                &p->point))
        return bad(err, "the signature does not hold");
    return ERR_OK;
}

static enum errc check(const struct json *root, int64_t now_ms, bool testnet,
                       struct parts *p, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF(CANON_MAX);
    uint8_t payload_hash[32] = {0};

    p->message = json_get(root, "message");
    if (!p->message || p->message->type != JSON_OBJECT || root->len != 2)
        return bad(err, "not {message, signature}");
    if (read_signature(json_get(root, "signature"), p, err) ||
        read_message(p, testnet, err) || check_time(p->timestamp, now_ms, err))
        return err->code;
    write_message(p, &text, payload_hash);
    if (text.full)
        return bad(err, "too long in canonical form");
    if (check_pow(p, payload_hash, testnet, err))
        return err->code;
    return check_signature(p, &text, err);
}

enum errc envelope_open(const char *text, size_t len, int64_t now_ms, bool testnet,
                        struct envelope *out, struct err *err)
{
    CLEANUP(json_free) struct json_doc *doc = NULL;
    struct parts p = {.nonce = ""};
    struct err why;

    if (json_parse(text, len, &limits, &doc, &why))
        return bad(err, why.msg);
    if (check(json_root(doc), now_ms, testnet, &p, err))
        return err->code;
    memcpy(out->key, p.key, sizeof(p.key));
    hash_sha256(p.nonce, strlen(p.nonce), out->nonce);
    out->timestamp = p.timestamp;
    out->payload = p.payload;
    out->doc = TAKE(doc);
    return ERR_OK;
}
