#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "store/chaindb.h"
#include "store/coinfile.h"
#include "store/extsort.h"
#include "sync/outputs.h"

/*
 * A note: kind (1 made, 2 spent), txid (32), vout (4, big-endian); made ones go on with
 * the amount's bits (8, big-endian), the address' length (1) and the address.  Sorted
 * as (txid, vout, kind), so that a coin's making comes before its spending.
 */
enum {
    NOTE_MADE = 1,
    NOTE_SPENT = 2,
    KEY_BYTES = 36,
    NOTE_MAX = 1 + KEY_BYTES + 8 + 1 + COIN_ADDRESS_MAX,
    SORT_MEMORY = 16 << 20,
};

static void put_key(struct buf *blob, uint8_t kind, const struct outpoint *at)
{
    uint8_t key[1 + KEY_BYTES];

    key[0] = kind;
    memcpy(key + 1, at->txid, 32);
    for (size_t i = 0; i < 4; i++)
        key[33 + i] = (uint8_t)(at->vout >> (24 - 8 * i));
    buf_put(blob, key, sizeof(key));
}

static uint64_t bits_of(double amount)
{
    uint64_t bits;

    memcpy(&bits, &amount, 8);
    return bits;
}

static void put_made(struct buf *blob, const struct coin *coin)
{
    uint8_t tail[9];
    uint64_t bits = bits_of(coin->amount);

    for (size_t i = 0; i < 8; i++)
        tail[i] = (uint8_t)(bits >> (56 - 8 * i));
    tail[8] = (uint8_t)strlen(coin->address);
    put_key(blob, NOTE_MADE, &coin->at);
    buf_put(blob, tail, sizeof(tail));
    buf_put(blob, coin->address, tail[8]);
}

void outputs_note(const struct block *b, struct buf *blob)
{
    for (size_t i = 0; i < b->tx_count; i++) {
        const struct tx *tx = &b->txs[i];

        for (size_t j = 0; j < tx->input_count; j++)
            put_key(blob, NOTE_SPENT, &tx->inputs[j]);
        for (size_t j = 0; j < tx->output_count; j++)
            put_made(blob, &tx->outputs[j]);
    }
}

/* --- reading notes back --- */

static size_t note_length(const uint8_t *p, size_t left)
{
    size_t n = 1 + KEY_BYTES;

    if (left < n || (p[0] != NOTE_MADE && p[0] != NOTE_SPENT))
        return 0;
    if (p[0] == NOTE_SPENT)
        return n;
    if (left < n + 9 || p[n + 8] > COIN_ADDRESS_MAX || left < n + 9 + p[n + 8])
        return 0;
    return n + 9 + p[n + 8];
}

static void note_coin(const uint8_t *p, struct coin *out)
{
    uint64_t bits = 0;

    memcpy(out->at.txid, p + 1, 32);
    out->at.vout =
        (uint32_t)p[33] << 24 | (uint32_t)p[34] << 16 | (uint32_t)p[35] << 8 | p[36];
    if (p[0] != NOTE_MADE)
        return;
    for (size_t i = 0; i < 8; i++)
        bits = bits << 8 | p[37 + i];
    memcpy(&out->amount, &bits, 8);
    memcpy(out->address, p + 46, p[45]);
    out->address[p[45]] = '\0';
}

static int compare_notes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    int order = memcmp(a + 1, b + 1, KEY_BYTES);

    (void)a_len;
    (void)b_len;
    return order != 0 ? order : (int)a[0] - (int)b[0];
}

struct comparison {
    struct extsort *sort;
    atomic_bool *cancel;
    struct coin next; /* of the history, unspent */
    bool has_next;
    uint8_t made[NOTE_MAX]; /* read ahead */
    size_t made_len;
    uint64_t blocks; /* with notes, from genesis on */
};

/* Nothing about the payload: this side of the comparison is not whole. */
static enum errc no_notes(const struct comparison *c, struct err *err)
{
    return err_fail(err, REASON_STORAGE_CORRUPT, "the notes of block %llu are gone",
                    (unsigned long long)c->blocks);
}

static enum errc add_notes(void *arg, uint64_t height, const void *blob, size_t len,
                           struct err *err)
{
    struct comparison *c = arg;
    const uint8_t *p = blob;

    if (atomic_load(c->cancel))
        return err_set(err, ERR_CANCELED, "cancelled");
    if (height != c->blocks)
        return no_notes(c, err);
    c->blocks++;
    while (len > 0) {
        size_t n = note_length(p, len);

        if (n == 0)
            return err_fail(err, REASON_STORAGE_CORRUPT, "notes of block %llu",
                            (unsigned long long)height);
        if (extsort_add(c->sort, p, n, err))
            return err->code;
        p += n;
        len -= n;
    }
    return ERR_OK;
}

static enum errc bad_history(const char *what, const struct coin *coin, struct err *err)
{
    char txid[65];

    hex_encode(coin->at.txid, 32, txid);
    return err_fail(err, REASON_STATE_BOUNDS, "coin %s:%u %s", txid, coin->at.vout,
                    what);
}

/* The next note into c->made; made_len 0 at the end. */
static enum errc read_note(struct comparison *c, struct err *err)
{
    const uint8_t *p;
    size_t len;

    if (extsort_next(c->sort, &p, &len, err))
        return err->code;
    c->made_len = p ? len : 0;
    if (p)
        memcpy(c->made, p, len);
    return ERR_OK;
}

/* Advances to the next coin that the history made and did not spend. */
static enum errc next_unspent(struct comparison *c, struct err *err)
{
    c->has_next = false;
    while (c->made_len > 0) {
        struct coin coin = {0}, after = {0};

        note_coin(c->made, &coin);
        if (c->made[0] == NOTE_SPENT)
            return bad_history("is spent by the blocks without having been made", &coin,
                               err);
        if (read_note(c, err))
            return err->code;
        if (c->made_len > 0)
            note_coin(c->made, &after);
        if (c->made_len == 0 || outpoint_compare(&coin.at, &after.at) != 0) {
            c->next = coin;
            c->has_next = true;
            return ERR_OK;
        }
        if (c->made[0] == NOTE_MADE)
            return bad_history("is made twice by the blocks", &coin, err);
        if (read_note(c, err)) /* past its spending */
            return err->code;
    }
    return ERR_OK;
}

static enum errc compare_coin(void *arg, const struct coin *coin, struct err *err)
{
    struct comparison *c = arg;
    int order;

    if (atomic_load(c->cancel))
        return err_set(err, ERR_CANCELED, "cancelled");
    order = c->has_next ? outpoint_compare(&c->next.at, &coin->at) : 1;
    if (order < 0)
        return bad_history("is unspent by the blocks, and missing in the payload",
                           &c->next, err);
    if (order > 0)
        return bad_history("is in the payload, and not unspent by the blocks", coin,
                           err);
    if (strcmp(c->next.address, coin->address) != 0)
        return bad_history("has another owner in the blocks than in the payload", coin,
                           err);
    if (bits_of(c->next.amount) != bits_of(coin->amount))
        return bad_history("has another amount in the blocks than in the payload", coin,
                           err);
    return next_unspent(c, err);
}

enum errc outputs_whole(const char *dir, uint64_t height, bool *whole, struct err *err)
{
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    AUTOFREE char *chain = xasprintf("%s/chain.db", dir);
    uint64_t count;

    if (chaindb_open(chain, CHAINDB_READER, &db, err) ||
        chaindb_proof_count(db, height, &count, err))
        return err->code;
    *whole = count == height + 1;
    return ERR_OK;
}

static enum errc open_both(const char *dir, struct chaindb **db,
                           struct coinfile **coins, struct err *err)
{
    AUTOFREE char *chain = NULL, *base = NULL, *idx = NULL;

    if (asprintf(&chain, "%s/chain.db", dir) < 0 ||
        asprintf(&base, "%s/base.coins", dir) < 0 ||
        asprintf(&idx, "%s/base.idx", dir) < 0)
        abort();
    if (chaindb_open(chain, CHAINDB_READER, db, err))
        return err->code;
    return coinfile_open(base, idx, NULL, coins, err);
}

enum errc outputs_compare(const char *dir, const char *tmp_dir, atomic_bool *cancel,
                          struct err *err)
{
    CLEANUP(chaindb_close) struct chaindb *db = NULL;
    CLEANUP(coinfile_close) struct coinfile *coins = NULL;
    CLEANUP(extsort_free) struct extsort *sort = NULL;
    struct comparison c = {.cancel = cancel};
    struct extsort_options opt = {.dir = tmp_dir,
                                  .memory_bytes = SORT_MEMORY,
                                  .record_max = NOTE_MAX,
                                  .first_bytes = true, /* of the key */
                                  .first_at = 1,
                                  .compare = compare_notes};

    if (open_both(dir, &db, &coins, err) || extsort_create(&opt, &sort, err))
        return err->code;
    c.sort = sort;
    if (chaindb_proof_each(db, add_notes, &c, err))
        return err->code;
    if (c.blocks != coinfile_info(coins)->id.height + 1)
        return no_notes(&c, err);
    if (extsort_finish(sort, err) || read_note(&c, err) || next_unspent(&c, err) ||
        coinfile_scan(coins, compare_coin, &c, err))
        return err->code;
    if (c.has_next)
        return bad_history("is unspent by the blocks, and missing in the payload",
                           &c.next, err);
    return ERR_OK;
}
