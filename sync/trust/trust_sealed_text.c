#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "sync/trust/trust_sealed.h"

/*
 * Canonical JSON whose members are always the same, read and written piece by piece:
 * no copy of it is left in memory that nobody wipes.
 */
#define FORMAT "cairn-key-1"
#define KDF    "argon2id"

struct text { /* being read */
    const char *at, *end;
};

static bool take(struct text *t, const char *literal)
{
    size_t len = strlen(literal);

    if ((size_t)(t->end - t->at) < len || memcmp(t->at, literal, len) != 0)
        return false;
    t->at += len;
    return true;
}

static bool take_hex(struct text *t, uint8_t *out, size_t len)
{
    if ((size_t)(t->end - t->at) < 2 * len || !hex_decode(t->at, len, true, out))
        return false;
    t->at += 2 * len;
    return true;
}

/* Decimal, as short as can be, at most max. */
static bool take_number(struct text *t, uint64_t max, uint64_t *out)
{
    const char *from = t->at;
    uint64_t n = 0;

    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        n = n * 10 + (uint64_t)(*t->at - '0');
        if (n > max)
            return false;
    }
    *out = n;
    return t->at > from && *from != '0';
}

static bool take_alg(struct text *t, enum trust_key_alg *alg)
{
    for (*alg = TRUST_SECP256K1; *alg <= TRUST_ED25519; (*alg)++)
        if (take(t, trust_key_alg_name(*alg)))
            return true;
    return false;
}

static bool take_public(struct text *t, struct trust_sealed *s)
{
    char hex[TRUST_KEY_HEX] = "";
    size_t digits = s->key.alg == TRUST_ED25519 ? 64 : 66;

    if (!take(t, ",\"public_key\":\"") ||
        (s->key.alg == TRUST_ED25519 && !take(t, "ed25519:")) ||
        (size_t)(t->end - t->at) < digits)
        return false;
    memcpy(hex, t->at, digits);
    t->at += digits;
    return trust_key_parse_hex(s->key.alg, hex, &s->key);
}

static bool take_box(struct text *t, struct trust_sealed *s)
{
    return take(t, "\",\"box\":\"") && take_hex(t, s->box, sizeof(s->box)) &&
           take(t, "\",\"format\":\"" FORMAT "\",\"kdf\":{\"memlimit\":") &&
           take_number(t, TRUST_SEALED_MEM_MAX, &s->cost.memlimit) &&
           s->cost.memlimit >= TRUST_SEALED_MEM_MIN && s->cost.memlimit % 1024 == 0 &&
           take(t, ",\"name\":\"" KDF "\",\"opslimit\":") &&
           take_number(t, TRUST_SEALED_OPS_MAX, &s->cost.opslimit) &&
           take(t, ",\"salt\":\"") && take_hex(t, s->salt, sizeof(s->salt)) &&
           take(t, "\"},\"nonce\":\"") && take_hex(t, s->nonce, sizeof(s->nonce)) &&
           take(t, "\"") && take_public(t, s);
}

static bool take_plain(struct text *t, struct trust_sealed *s)
{
    return take(t, "\",\"format\":\"" FORMAT "\",\"kdf\":null") && take_public(t, s) &&
           take(t, "\",\"secret\":\"") && take_hex(t, s->secret, sizeof(s->secret));
}

enum errc trust_sealed_parse(const char *text, size_t len, struct trust_sealed *out,
                             struct err *err)
{
    struct text t = {text, text + len};
    TRUST_SEALED s = {.encrypted = true};
    bool ok = take(&t, "{\"alg\":\"") && take_alg(&t, &s.key.alg);
    struct text rest = t;

    if (ok && !take_box(&t, &s)) {
        s = (struct trust_sealed){.key.alg = s.key.alg};
        t = rest;
        ok = take_plain(&t, &s);
    }
    if (!ok || !take(&t, "\"}\n") || t.at != t.end)
        return err_set(err, ERR_INVALID,
                       "this is no key file of this version, or it was altered");
    *out = s;
    return ERR_OK;
}

static size_t put_plain(const struct trust_sealed *s, const char *public,
                        char out[TRUST_SEALED_MAX])
{
    char hex[2 * TRUST_SECRET_BYTES + 1];
    int n;

    hex_encode(s->secret, sizeof(s->secret), hex);
    n = snprintf(out, TRUST_SEALED_MAX,
                 "{\"alg\":\"%s\",\"format\":\"" FORMAT
                 "\",\"kdf\":null,\"public_key\":\"%s\","
                 "\"secret\":\"%s\"}\n",
                 trust_key_alg_name(s->key.alg), public, hex);
    sodium_memzero(hex, sizeof(hex));
    return (size_t)n;
}

size_t trust_sealed_text(const struct trust_sealed *s, char out[TRUST_SEALED_MAX])
{
    char public[TRUST_KEY_TEXT], box[2 * sizeof(s->box) + 1];
    char salt[2 * sizeof(s->salt) + 1], nonce[2 * sizeof(s->nonce) + 1];

    trust_key_text(&s->key, public);
    if (!s->encrypted)
        return put_plain(s, public, out);
    hex_encode(s->box, sizeof(s->box), box);
    hex_encode(s->salt, sizeof(s->salt), salt);
    hex_encode(s->nonce, sizeof(s->nonce), nonce);
    return (size_t)snprintf(
        out, TRUST_SEALED_MAX,
        "{\"alg\":\"%s\",\"box\":\"%s\",\"format\":\"" FORMAT
        "\",\"kdf\":{\"memlimit\":%" PRIu64 ",\"name\":\"" KDF
        "\",\"opslimit\":%" PRIu64
        ",\"salt\":\"%s\"},\"nonce\":\"%s\",\"public_key\":\"%s\"}\n",
        trust_key_alg_name(s->key.alg), box, s->cost.memlimit, s->cost.opslimit, salt,
        nonce, public);
}
