#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "store/bytes.h"
#include "store/coinrec.h"
#include "store/utf8.h"

enum owner_kind { /* stored: never renumber */
                  OWNER_TEXT = 0,
                  OWNER_TESTNET = 1,
                  OWNER_MAINNET = 2,
};

enum { BODY_BYTES = 20, BODY_TEXT = 2 * BODY_BYTES };

static const char *prefix_of(enum owner_kind kind)
{
    return kind == OWNER_TESTNET ? "TXAI" : "XAI";
}

static bool has_form(const char *text, size_t len, enum owner_kind kind,
                     uint8_t body[BODY_BYTES])
{
    const char *prefix = prefix_of(kind);
    size_t skip = strlen(prefix);
    char digits[BODY_TEXT];

    if (len != skip + BODY_TEXT || memcmp(text, prefix, skip) != 0 ||
        !hex_decode(text + skip, BODY_BYTES, false, body))
        return false;
    memcpy(digits, text + skip, BODY_TEXT);
    hash_address_case(digits);
    return memcmp(digits, text + skip, BODY_TEXT) == 0;
}

/* OWNER_TEXT if there is no short form. */
static enum owner_kind short_form(const char *text, size_t len,
                                  uint8_t body[BODY_BYTES])
{
    if (has_form(text, len, OWNER_TESTNET, body))
        return OWNER_TESTNET;
    if (has_form(text, len, OWNER_MAINNET, body))
        return OWNER_MAINNET;
    return OWNER_TEXT;
}

void coinrec_key(const struct outpoint *at, uint8_t out[COINREC_KEY])
{
    memcpy(out, at->txid, 32);
    bytes_put_be32(out + 32, at->vout);
}

static bool amount_is_sound(double amount, u128 *atto)
{
    return !signbit(amount) && u128_from_amount(amount, atto);
}

void coinrec_set(const struct outpoint *at, double amount, uint8_t rec[COINREC_MAX])
{
    uint64_t bits;

    coinrec_key(at, rec);
    memcpy(&bits, &amount, sizeof(bits));
    bytes_put_be64(rec + COINREC_KEY, bits);
}

enum errc coinrec_encode(const struct coin *coin, uint8_t out[COINREC_MAX], size_t *len,
                         u128 *atto, struct err *err)
{
    size_t n = strnlen(coin->address, sizeof(coin->address));
    enum owner_kind kind;

    if (!amount_is_sound(coin->amount, atto))
        return err_fail(err, REASON_STATE_BOUNDS, "amount %g is none a coin can have",
                        coin->amount);
    coinrec_set(&coin->at, coin->amount, out);
    kind = short_form(coin->address, n, out + COINREC_OWNER); /* which is UTF-8 */
    if (kind == OWNER_TEXT &&
        (n == 0 || n > COIN_ADDRESS_MAX || !utf8_valid(coin->address, n)))
        return err_fail(err, REASON_STATE_BOUNDS,
                        "address is not 1 to %d bytes of UTF-8", COIN_ADDRESS_MAX);
    out[COINREC_OWNER - 1] = (uint8_t)kind;
    *len = COINREC_OWNER + BODY_BYTES;
    if (kind == OWNER_TEXT) {
        out[COINREC_OWNER] = (uint8_t)n;
        memcpy(out + COINREC_OWNER + 1, coin->address, n);
        *len = COINREC_OWNER + 1 + n;
    }
    return ERR_OK;
}

u128 coinrec_atto(const uint8_t *p)
{
    uint64_t bits = bytes_be64(p + COINREC_KEY);
    u128 atto = 0;
    double amount;

    memcpy(&amount, &bits, sizeof(amount));
    (void)u128_from_amount(amount, &atto); /* it was sound */
    return atto;
}

enum errc coinrec_order(const uint8_t *last, const uint8_t key[COINREC_KEY],
                        struct err *err)
{
    int order = last ? memcmp(last, key, COINREC_KEY) : -1;
    char txid[65];

    if (order < 0)
        return ERR_OK;
    hex_encode(key, 32, txid);
    if (order == 0)
        return err_fail(err, REASON_STATE_BOUNDS, "coin %s:%u twice", txid,
                        bytes_be32(key + 32));
    return err_fail(err, REASON_INTERNAL, "coin %s:%u out of order", txid,
                    bytes_be32(key + 32));
}

size_t coinrec_length(const uint8_t *p, size_t avail)
{
    size_t len;

    if (avail < COINREC_MIN)
        return 0;
    len = p[COINREC_OWNER - 1] == OWNER_TEXT
              ? COINREC_OWNER + 1 + (size_t)p[COINREC_OWNER]
              : COINREC_OWNER + BODY_BYTES;
    return len <= avail ? len : 0;
}

static bool owner_is_sound(const uint8_t *owner)
{
    uint8_t body[BODY_BYTES];
    const char *text = (const char *)owner + 1;
    size_t len = owner[0];

    return len > 0 && len <= COIN_ADDRESS_MAX && utf8_valid(text, len) &&
           short_form(text, len, body) == OWNER_TEXT;
}

size_t coinrec_check(const uint8_t *p, size_t avail, u128 *atto)
{
    size_t len = coinrec_length(p, avail);
    uint64_t bits;
    double amount;

    if (len == 0 || p[COINREC_OWNER - 1] > OWNER_MAINNET)
        return 0;
    bits = bytes_be64(p + COINREC_KEY);
    memcpy(&amount, &bits, sizeof(amount));
    if (!amount_is_sound(amount, atto))
        return 0;
    if (p[COINREC_OWNER - 1] == OWNER_TEXT && !owner_is_sound(p + COINREC_OWNER))
        return 0;
    return len;
}

void coinrec_decode(const uint8_t *p, struct coin *out)
{
    const uint8_t *owner = p + COINREC_OWNER;
    enum owner_kind kind = (enum owner_kind)p[COINREC_OWNER - 1];
    uint64_t bits = bytes_be64(p + COINREC_KEY);
    size_t skip;

    memcpy(out->at.txid, p, 32);
    out->at.vout = bytes_be32(p + 32);
    memcpy(&out->amount, &bits, sizeof(bits));
    if (kind == OWNER_TEXT) {
        memcpy(out->address, owner + 1, owner[0]);
        out->address[owner[0]] = '\0';
        return;
    }
    skip = strlen(prefix_of(kind));
    memcpy(out->address, prefix_of(kind), skip);
    hex_encode(owner, BODY_BYTES, out->address + skip);
    hash_address_case(out->address + skip);
}
