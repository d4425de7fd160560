#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/pyfloat.h"
#include "sync/chain/address.h"
#include "sync/chain/amount.h"
#include "sync/chain/tx.h"

static bool is_same(double a, double b)
{
    return !(a < b) && !(a > b) && !signbit(a) == !signbit(b);
}

/* The constructor keeps amounts as truncated floats; 12 is hashed as 12.0. */
static void put_amount(const struct json *v, struct buf *out)
{
    char text[PYFLOAT_TEXT];
    double amount;

    if (!amount_read(v, &amount) ||
        (v->type == JSON_FLOAT && is_same(amount, v->number)))
        json_write(v, JSON_CANON, out);
    else
        buf_put(out, text, pyfloat_repr(amount, text));
}

static bool is_coinbase(const struct json *sender)
{
    const char *text;

    return json_text(sender, &text) && strcmp(text, "COINBASE") == 0;
}

static void put_address(const struct json *v, struct buf *out)
{
    char normal[COIN_ADDRESS_MAX + 1];
    const char *text;

    if (json_text(v, &text) && address_normalise(text, normal))
        json_write_string(normal, strlen(normal), out);
    else
        json_write(v, JSON_CANON, out);
}

static void put_field(const char *name, const struct json *tx, const char *key,
                      struct buf *out)
{
    buf_puts(out, name);
    json_write(json_get(tx, key), JSON_CANON, out);
}

void tx_id(const struct json *v, const char *chain_context, struct buf *scratch,
           uint8_t out[32])
{
    const struct json *sender = json_get(v, "sender");

    buf_reset(scratch);
    buf_puts(scratch, "{\"amount\":");
    put_amount(json_get(v, "amount"), scratch);
    buf_puts(scratch, ",\"chain_context\":\"");
    buf_puts(scratch, chain_context);
    buf_puts(scratch, "\",\"fee\":");
    put_amount(json_get(v, "fee"), scratch);
    put_field(",\"inputs\":", v, "inputs", scratch);
    put_field(",\"nonce\":", v, "nonce", scratch);
    put_field(",\"outputs\":", v, "outputs", scratch);
    if (is_coinbase(sender)) { /* its recipient is any text, kept */
        put_field(",\"recipient\":", v, "recipient", scratch);
    } else {
        buf_puts(scratch, ",\"recipient\":");
        put_address(json_get(v, "recipient"), scratch);
    }
    buf_puts(scratch, ",\"sender\":");
    put_address(sender, scratch);
    put_field(",\"timestamp\":", v, "timestamp", scratch);
    buf_put(scratch, "}", 1);
    hash_sha256(scratch->data, scratch->len, out);
}
