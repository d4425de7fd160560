#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pyfloat.h"
#include "store/bytes.h"
#include "store/coinrec.h"
#include "store/extsort.h"
#include "sync/snapshot/payload_out.h"
#include "sync/snapshot/payload_write.h"

/*
 * A sorted record: address, NUL, outpoint, the amount's bits.  No address has a NUL, so
 * memcmp orders by address and then by outpoint.
 */
enum {
    TAIL = COINREC_KEY + (int)sizeof(double),
    RECORD_MAX = COIN_ADDRESS_MAX + 1 + TAIL,
    CANCEL_EVERY = 4096, /* coins */
};

struct payload_writer {
    struct payload_write_options opt;
    struct extsort *sort;
    uint64_t coins;
    u128 total;
    char owner[COIN_ADDRESS_MAX + 1]; /* of the list that is being written; "" */
    /* What stands before the amount, the txid and the vout of the owner's entries. */
    struct buf to_amount, to_txid;
};

/* The text around an entry: an address of 128 bytes escaped, twice. */
enum { AROUND_MAX = 64 + 6 * COIN_ADDRESS_MAX };

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return memcmp(a, b, a_len < b_len ? a_len : b_len);
}

enum errc payload_writer_create(const struct payload_write_options *opt,
                                struct payload_writer **out, struct err *err)
{
    const struct extsort_options sort = {.dir = opt->tmp_dir,
                                         .memory_bytes = opt->sort_memory,
                                         .record_max = RECORD_MAX,
                                         .first_bytes = true,
                                         .compare = compare};
    CLEANUP(payload_writer_free) struct payload_writer *w = xcalloc(1, sizeof(*w));

    w->opt = *opt;
    w->to_amount = BUF(AROUND_MAX);
    w->to_txid = BUF(AROUND_MAX);
    if (extsort_create(&sort, &w->sort, err))
        return err->code;
    *out = TAKE(w);
    return ERR_OK;
}

void payload_writer_free(struct payload_writer *w)
{
    if (!w)
        return;
    extsort_free(w->sort);
    buf_fini(&w->to_amount);
    buf_fini(&w->to_txid);
    free(w);
}

static enum errc check_cancel(const struct payload_writer *w, struct err *err)
{
    if (w->opt.cancel && atomic_load(w->opt.cancel))
        return err_fail(err, REASON_CANCELLED, "cancelled");
    return ERR_OK;
}

enum errc payload_writer_add(struct payload_writer *w, const struct coin *coin,
                             struct err *err)
{
    size_t len = strnlen(coin->address, COIN_ADDRESS_MAX) + 1;
    uint8_t rec[RECORD_MAX];
    u128 atto;

    if (w->coins % CANCEL_EVERY == 0 && check_cancel(w, err))
        return err->code;
    if (!u128_from_amount(coin->amount, &atto))
        return err_fail(err, REASON_STATE_BOUNDS, "amount %g is none a coin can have",
                        coin->amount);
    memcpy(rec, coin->address, len - 1);
    rec[len - 1] = '\0';
    coinrec_key(&coin->at, rec + len);
    memcpy(rec + len + COINREC_KEY, &coin->amount, sizeof(double));
    w->coins++;
    w->total += atto;
    return extsort_add(w->sort, rec, len + TAIL, err);
}

/* --- the text --- */

static void begin_list(struct payload_writer *w, const char *owner, struct buf *out)
{
    char script[sizeof("P2PKH ") + COIN_ADDRESS_MAX] = "P2PKH ";
    size_t len = strlen(owner);

    buf_puts(out, w->owner[0] != '\0' ? "], " : "");
    memcpy(w->owner, owner, len + 1);
    memcpy(script + sizeof("P2PKH ") - 1, owner, len + 1);
    json_write_string(owner, len, out);
    buf_puts(out, ": [");
    buf_reset(&w->to_amount);
    buf_puts(&w->to_amount, "{\"address\": ");
    json_write_string(owner, len, &w->to_amount);
    buf_puts(&w->to_amount, ", \"amount\": ");
    buf_reset(&w->to_txid);
    buf_puts(&w->to_txid, ", \"script_pubkey\": ");
    json_write_string(script, strlen(script), &w->to_txid);
    buf_puts(&w->to_txid, ", \"spent\": false, \"txid\": \"");
}

static void write_entry(struct payload_writer *w, const uint8_t *rec, struct buf *out)
{
    const char *owner = (const char *)rec;
    const uint8_t *key = rec + strlen(owner) + 1;
    char amount_text[PYFLOAT_TEXT], txid[65];
    double amount;

    if (strcmp(owner, w->owner) != 0)
        begin_list(w, owner, out);
    else
        buf_puts(out, ", ");
    memcpy(&amount, key + COINREC_KEY, sizeof(amount));
    hex_encode(key, 32, txid);
    buf_put(out, w->to_amount.data, w->to_amount.len);
    buf_put(out, amount_text, pyfloat_repr(amount, amount_text));
    buf_put(out, w->to_txid.data, w->to_txid.len);
    buf_put(out, txid, 64);
    buf_printf(out, "\", \"vout\": %" PRIu32 "}", bytes_be32(key + 32));
}

static enum errc write_entries(struct payload_writer *w, struct payload_out *out,
                               struct err *err)
{
    const uint8_t *rec;
    size_t len;
    enum errc rc = extsort_finish(w->sort, err);

    for (uint64_t i = 0; !rc; i++) {
        rc = i % CANCEL_EVERY == 0 ? check_cancel(w, err) : ERR_OK;
        if (!rc)
            rc = extsort_next(w->sort, &rec, &len, err);
        if (rc || !rec)
            break;
        write_entry(w, rec, &out->text);
        rc = payload_out_pump(out, err);
    }
    if (!rc && w->coins > 0)
        buf_puts(&out->text, "]");
    return rc;
}

/* The value of data, and its hash. */
static enum errc write_data(struct payload_writer *w, struct payload_out *out,
                            uint8_t state_hash[32], struct err *err)
{
    CLEANUP(hasher_free) struct hasher *hasher = hasher_create();
    char total[U128_TEXT + 2], value[PYFLOAT_TEXT];
    enum errc rc = payload_out_flush(out, err);

    if (rc)
        return rc;
    out->hasher = hasher;
    u128_amount_text(w->total, total);
    (void)pyfloat_repr(pyfloat_parse(total, strlen(total)), value);
    buf_printf(&out->text,
               "{\"utxo_snapshot\": {\"total_utxos\": %" PRIu64
               ", \"total_value\": %s, \"utxo_set\": {",
               w->coins, value);
    rc = write_entries(w, out, err);
    buf_puts(&out->text, "}}}");
    if (!rc)
        rc = payload_out_flush(out, err);
    out->hasher = NULL;
    if (!rc)
        hasher_finish(hasher, state_hash);
    return rc;
}

static void write_before(const struct payload_head *head, struct buf *out)
{
    char hash[65];

    hex_encode(head->block_hash, 32, hash);
    buf_printf(out, "{\"block_hash\": \"%s\", \"data\": ", hash);
}

static enum errc write_after(const struct payload_head *head, const char *state_hash,
                             struct buf *out, struct err *err)
{
    struct payload_seal seal;

    buf_printf(out, ", \"height\": %" PRIu64, head->height);
    if (head->sign) {
        if (head->sign(head->arg, state_hash, &seal, err))
            return err->code;
        buf_printf(out, ", \"pubkey\": \"%s\", \"signature\": \"%s\"", seal.pubkey,
                   seal.signature);
    }
    buf_printf(out, ", \"state_hash\": \"%s\"", state_hash);
    if (head->work)
        buf_printf(out, ", \"work\": %s", head->work);
    buf_puts(out, "}");
    return ERR_OK;
}

enum errc payload_writer_finish(struct payload_writer *w, const char *path,
                                const struct payload_head *head,
                                struct payload_written *out, struct err *err)
{
    __attribute__((cleanup(payload_out_fini))) struct payload_out to = PAYLOAD_OUT_NONE;
    char hex[65];
    enum errc rc = payload_out_open(&to, path, err);

    if (!rc && path)
        write_before(head, &to.text);
    if (!rc)
        rc = write_data(w, &to, out->state_hash, err);
    if (!rc && path) {
        hex_encode(out->state_hash, 32, hex);
        rc = write_after(head, hex, &to.text, err);
    }
    if (!rc)
        rc = payload_out_finish(&to, err);
    out->coins = w->coins;
    out->total = w->total;
    out->bytes = to.bytes;
    return rc;
}
