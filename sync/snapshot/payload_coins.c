#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "store/coinrec.h"
#include "store/extsort.h"
#include "sync/snapshot/payload_coins.h"

/* A sorted record: the coin file's, and 1 if spent. */
enum {
    RECORD_MAX = COINREC_MAX + 1,
    CANCEL_EVERY = 4096, /* coins */
};

struct payload_coins {
    struct extsort *sort;
    const struct payload_paths *paths;
    const struct payload_limits *limits;
    struct payload_progress *progress;
    uint64_t unspent, spent;
    u128 sum;                         /* atto, unspent */
    char owner[COIN_ADDRESS_MAX + 1]; /* of the last coin; and its record */
    uint8_t record[RECORD_MAX];
    size_t record_len;
    struct err fault; /* the first bound broken; code 0: none */
};

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    (void)a_len; /* every record has a whole key */
    (void)b_len;
    return memcmp(a, b, COINREC_KEY);
}

enum errc payload_coins_create(const struct payload_paths *paths,
                               const struct payload_limits *limits,
                               struct payload_progress *progress,
                               struct payload_coins **out, struct err *err)
{
    CLEANUP(payload_coins_free) struct payload_coins *c = xcalloc(1, sizeof(*c));
    const struct extsort_options opt = {.dir = paths->tmp_dir,
                                        .memory_bytes = limits->sort_memory / 2,
                                        .record_max = RECORD_MAX,
                                        .first_bytes = true,
                                        .compare = compare};
    enum errc rc = extsort_create(&opt, &c->sort, err);

    if (rc)
        return rc;
    c->paths = paths;
    c->limits = limits;
    c->progress = progress;
    *out = TAKE(c);
    return ERR_OK;
}

void payload_coins_free(struct payload_coins *c)
{
    if (!c)
        return;
    extsort_free(c->sort);
    free(c);
}

/* Coins of one owner follow each other, and its short form costs a hash. */
static enum errc set_owner(struct payload_coins *c, const char *owner, struct err *err)
{
    struct coin coin = {0};
    u128 atto;

    memcpy(coin.address, owner, strlen(owner) + 1);
    memcpy(c->owner, coin.address, sizeof(c->owner));
    return coinrec_encode(&coin, c->record, &c->record_len, &atto, err);
}

static enum errc encode(struct payload_coins *c, const struct payload_entry *e,
                        const char *owner, struct err *err)
{
    struct outpoint at = {.vout = e->vout};

    if ((c->record_len == 0 || strcmp(owner, c->owner) != 0) &&
        set_owner(c, owner, err))
        return err->code;
    memcpy(at.txid, e->txid, 32);
    coinrec_set(&at, e->amount, c->record);
    c->record[c->record_len] = e->spent;
    return ERR_OK;
}

static enum errc add(struct payload_coins *c, const struct payload_entry *e,
                     const char *owner, const char *why, struct err *err)
{
    u128 atto = 0;

    if (c->unspent + c->spent >= c->limits->max_coins)
        return err_fail(err, REASON_PAYLOAD_TOO_LARGE, "over %" PRIu64 " coins",
                        c->limits->max_coins);
    c->spent += e->spent;
    c->unspent += !e->spent;
    if (!why && !u128_from_amount(e->amount, &atto))
        why = "its amount is too large";
    if (why && !c->fault.code)
        (void)err_fail(&c->fault, REASON_STATE_BOUNDS, "coin %s:%u: %s", e->txid_hex,
                       e->vout, why);
    if (c->fault.code)
        return ERR_OK; /* nothing will be written */
    c->sum += e->spent ? 0 : atto;
    return encode(c, e, owner, err)
               ? err->code
               : extsort_add(c->sort, c->record, c->record_len + 1, err);
}

enum errc payload_coins_add(struct payload_coins *c, const struct payload_entry *e,
                            const char *owner, struct err *err)
{
    return add(c, e, owner, payload_entry_fault(e, owner), err);
}

enum errc payload_coins_add_owned(struct payload_coins *c,
                                  const struct payload_entry *e, const char *owner,
                                  struct err *err)
{
    return add(c, e, owner, payload_entry_amount_fault(e), err);
}

static enum errc twice(const uint8_t *rec, struct err *err)
{
    struct coin coin;
    char txid[65];

    coinrec_decode(rec, &coin);
    hex_encode(coin.at.txid, 32, txid);
    return err_fail(err, REASON_STATE_BOUNDS, "coin %s:%u twice", txid, coin.at.vout);
}

/* An outpoint may come twice only if it was spent both times. */
static enum errc write_sorted(struct payload_coins *c, struct coinfile_writer *w,
                              struct err *err)
{
    uint8_t last[COINREC_KEY];
    const uint8_t *rec;
    bool any_spent = false;
    size_t len;
    enum errc rc = extsort_finish(c->sort, err);

    for (uint64_t i = 0; !rc; i++) {
        rc = extsort_next(c->sort, &rec, &len, err);
        if (rc || !rec)
            break;
        len--; /* the last byte is whether it was spent */
        if (i > 0 && memcmp(last, rec, COINREC_KEY) == 0 && !(any_spent && rec[len]))
            return twice(rec, err);
        memcpy(last, rec, COINREC_KEY);
        any_spent = rec[len];
        if (i % CANCEL_EVERY == 0 && c->progress && atomic_load(&c->progress->cancel))
            return err_fail(err, REASON_CANCELLED, "cancelled");
        if (!any_spent)
            rc = coinfile_writer_add_record(w, rec, len, err);
    }
    return rc;
}

static enum errc check_totals(const struct payload_coins *c,
                              const struct payload_totals *totals, struct err *err)
{
    const u128 tolerance =
        (u128)1000000000000U; /* 1e-6 XAI: a running sum of doubles */
    char sum[U128_TEXT + 2];
    u128 declared;

    u128_amount_text(c->sum, sum);
    if (totals->count != c->unspent)
        return err_fail(err, REASON_STATE_BOUNDS,
                        "total_utxos is %" PRIu64 ", unspent coins are %" PRIu64,
                        totals->count, c->unspent);
    if (!u128_from_amount(totals->value, &declared) ||
        (declared > c->sum ? declared - c->sum : c->sum - declared) > tolerance)
        return err_fail(err, REASON_STATE_BOUNDS,
                        "total_value is %.17g, the unspent coins sum to %s",
                        totals->value, sum);
    if (c->sum > c->limits->max_supply)
        return err_fail(err, REASON_STATE_BOUNDS, "%s XAI are more than can exist",
                        sum);
    return ERR_OK;
}

enum errc payload_coins_write(struct payload_coins *c,
                              const struct payload_totals *totals,
                              const struct coinfile_id *id, struct payload_result *out,
                              struct err *err)
{
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    enum errc rc;

    if (c->fault.code) {
        *err = c->fault;
        return err->code;
    }
    rc = coinfile_writer_create(c->paths->coins, c->paths->idx, id, &w, err);
    if (!rc)
        rc = write_sorted(c, w, err);
    if (!rc)
        rc = check_totals(c, totals, err);
    if (!rc)
        rc = coinfile_writer_finish(w, &out->coins, err);
    out->unspent = c->unspent;
    out->spent = c->spent;
    return rc;
}
