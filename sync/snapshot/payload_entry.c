#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/pyfloat.h"
#include "sync/chain/amount.h"
#include "sync/snapshot/payload_entry.h"

enum field { ADDRESS, AMOUNT, SCRIPT, SPENT, TXID, VOUT, FIELDS };

static const char *const names[FIELDS] = {"address", "amount", "script_pubkey",
                                          "spent",   "txid",   "vout"};
static const char script_start[] = "P2PKH ";

void payload_entry_init(struct payload_entry *e)
{
    *e = (struct payload_entry){.address = BUF(PAYLOAD_ENTRY_TEXT),
                                .script = BUF(PAYLOAD_ENTRY_TEXT)};
}

void payload_entry_fini(struct payload_entry *e)
{
    buf_fini(&e->address);
    buf_fini(&e->script);
}

void payload_entry_begin(struct payload_entry *e)
{
    e->seen = 0;
    e->short_amount = false;
    buf_reset(&e->address);
    buf_reset(&e->script);
}

enum errc payload_entry_key(struct payload_entry *e, const struct payload_event *ev,
                            struct err *err)
{
    for (unsigned i = 0; i < FIELDS; i++) {
        if (!payload_event_is(ev, names[i]))
            continue;
        if (e->seen & 1U << i)
            return err_fail(err, REASON_PAYLOAD_MALFORMED, "an entry with %s twice",
                            names[i]);
        e->seen |= 1U << i;
        e->field = i;
        return ERR_OK;
    }
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "an entry with an unknown key");
}

static bool is_integer(const struct payload_event *ev)
{
    return !memchr(ev->text, '.', ev->len) && !memchr(ev->text, 'e', ev->len) &&
           !memchr(ev->text, 'E', ev->len);
}

static const char *take_text(const struct payload_event *ev, struct buf *out)
{
    if (ev->type != PAYLOAD_STRING)
        return "not a text";
    buf_put(out, ev->text, ev->len);
    return out->full ? "too long" : NULL;
}

static const char *take_amount(struct payload_entry *e, const struct payload_event *ev)
{
    char text[PYFLOAT_TEXT];

    if (ev->type != PAYLOAD_NUMBER)
        return "not a number";
    if (ev->len > PAYLOAD_ENTRY_NUMBER)
        return "too long";
    e->amount = pyfloat_parse(ev->text, ev->len);
    if (!isfinite(e->amount))
        return "beyond a double";
    if (is_integer(
            ev)) { /* JSON has no leading zeros: "-0" alone is spelled otherwise */
        bool minus_zero = ev->len == 2 && memcmp(ev->text, "-0", 2) == 0;

        (void)snprintf(e->amount_text, sizeof(e->amount_text), "%.*s", (int)ev->len,
                       ev->text);
        if (minus_zero)
            (void)snprintf(e->amount_text, sizeof(e->amount_text), "0");
        e->amount = minus_zero ? 0.0 : e->amount;
        return NULL;
    }
    (void)pyfloat_repr(e->amount, text);
    (void)snprintf(e->amount_text, sizeof(e->amount_text), "%s", text);
    return NULL;
}

static const char *take_vout(struct payload_entry *e, const struct payload_event *ev)
{
    uint64_t value = 0;

    if (ev->type != PAYLOAD_NUMBER || !is_integer(ev) || ev->len > 10 ||
        ev->text[0] == '-')
        return "not an integer from 0 to 2^32 - 1";
    for (size_t i = 0; i < ev->len; i++)
        value = value * 10 + (uint64_t)(ev->text[i] - '0');
    if (value > UINT32_MAX)
        return "not an integer from 0 to 2^32 - 1";
    e->vout = (uint32_t)value;
    return NULL;
}

static const char *take_txid(struct payload_entry *e, const struct payload_event *ev)
{
    if (ev->type != PAYLOAD_STRING || ev->len != 64 ||
        !hex_decode(ev->text, 32, true, e->txid))
        return "not 64 lower-case hex digits";
    memcpy(e->txid_hex, ev->text, 64);
    return NULL;
}

static const char *take_spent(struct payload_entry *e, const struct payload_event *ev)
{
    if (ev->type != PAYLOAD_BOOL)
        return "neither true nor false";
    e->spent = ev->boolean;
    return NULL;
}

static const char *take_address(struct payload_entry *e, const struct payload_event *ev)
{
    return take_text(ev, &e->address);
}

static const char *take_script(struct payload_entry *e, const struct payload_event *ev)
{
    return take_text(ev, &e->script);
}

enum errc payload_entry_value(struct payload_entry *e, const struct payload_event *ev,
                              struct err *err)
{
    static const char *(*const take[FIELDS])(struct payload_entry *,
                                             const struct payload_event *) = {
        take_address, take_amount, take_script, take_spent, take_txid, take_vout};
    const char *why = take[e->field](e, ev);

    if (!why)
        return ERR_OK;
    return err_fail(err, REASON_PAYLOAD_MALFORMED, "%s of an entry: %s",
                    names[e->field], why);
}

enum errc payload_entry_end(const struct payload_entry *e, struct err *err)
{
    for (unsigned i = 0; i < FIELDS; i++)
        if (!(e->seen & 1U << i))
            return err_fail(err, REASON_PAYLOAD_MALFORMED, "an entry without %s",
                            names[i]);
    return ERR_OK;
}

static bool equal(const struct buf *b, size_t from, const char *text)
{
    size_t len = strlen(text);

    return b->len == from + len && memcmp(b->data + from, text, len) == 0;
}

const char *payload_entry_amount_fault(const struct payload_entry *e)
{
    double stored;

    if (e->short_amount && e->amount < 0.01)
        return NULL;
    if (signbit(e->amount) || !amount_normalise(e->amount, &stored))
        return "its amount is negative or too large";
    if (stored < e->amount || stored > e->amount)
        return "its amount has over 18 decimals";
    return NULL;
}

const char *payload_entry_fault(const struct payload_entry *e, const char *owner)
{
    size_t start = sizeof(script_start) - 1;

    if (!equal(&e->address, 0, owner))
        return "its address is not its list's";
    if (!equal(&e->script, start, owner) ||
        memcmp(e->script.data, script_start, start) != 0)
        return "its script is not P2PKH and its address";
    return payload_entry_amount_fault(e);
}

void payload_entry_write(const struct payload_entry *e, struct buf *out)
{
    buf_puts(out, "{\"address\": ");
    json_write_string(e->address.data, e->address.len, out);
    buf_puts(out, ", \"amount\": ");
    buf_puts(out, e->amount_text);
    buf_puts(out, ", \"script_pubkey\": ");
    json_write_string(e->script.data, e->script.len, out);
    buf_puts(out, e->spent ? ", \"spent\": true, \"txid\": \""
                           : ", \"spent\": false, \"txid\": \"");
    buf_put(out, e->txid_hex, 64);
    buf_puts(out, "\", \"vout\": ");
    buf_printf(out, "%u}", e->vout);
}
