#include <string.h>

#include "base/hash.h"
#include "base/hex.h"
#include "store/bytes.h"
#include "store/coinrec.h"
#include "store/state_impl.h"

enum { SUM_BYTES = 8 }; /* of a row's hash, kept in the row */

static void hash_made(const struct coin *coin, uint64_t height, uint8_t out[32])
{
    uint8_t row[1 + COINREC_KEY + 8 + 8 + COIN_ADDRESS_MAX] = {'M'};
    size_t n = strlen(coin->address);
    uint64_t bits;

    coinrec_key(&coin->at, row + 1);
    memcpy(&bits, &coin->amount, sizeof(bits));
    bytes_put_be64(row + 1 + COINREC_KEY, bits);
    bytes_put_be64(row + 1 + COINREC_KEY + 8, height);
    memcpy(row + 1 + COINREC_KEY + 16, coin->address, n);
    hash_sha256(row, 1 + COINREC_KEY + 16 + n, out);
}

static void fold(const uint8_t sha[32], uint8_t digest[32])
{
    for (size_t i = 0; i < 32; i++)
        digest[i] ^= sha[i];
}

void state_coins_fold_made(const struct coin *coin, uint64_t height, uint8_t digest[32])
{
    uint8_t sha[32];

    hash_made(coin, height, sha);
    fold(sha, digest);
}

void state_coins_fold_spent(const struct outpoint *at, uint8_t digest[32])
{
    uint8_t row[1 + COINREC_KEY] = {'S'}, sha[32];

    coinrec_key(at, row + 1);
    hash_sha256(row, sizeof(row), sha);
    fold(sha, digest);
}

static void bind_outpoint(sqlite3_stmt *st, const struct outpoint *at)
{
    db_bind_blob(st, 1, at->txid, 32);
    db_bind_int(st, 2, at->vout);
}

/* A change that does not fit what is there: the state is not what it was taken for. */
static enum errc blame(enum errc rc, const struct outpoint *at, struct err *err)
{
    char txid[65];

    if (rc == ERR_OK ||
        (err->reason != REASON_CONFLICT && err->reason != REASON_STORAGE_CORRUPT))
        return rc;
    hex_encode(at->txid, 32, txid);
    return err_fail(err, REASON_STORAGE_CORRUPT, "coin %s:%u does not fit the state",
                    txid, at->vout);
}

enum errc state_coins_make(struct chaindb *db, const struct coin *coin, uint64_t height,
                           uint8_t digest[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_MADE_PUT);
    uint8_t sha[32];
    enum errc rc;

    bind_outpoint(st, &coin->at);
    db_bind_double(st, 3, coin->amount);
    db_bind_text(st, 4, coin->address);
    db_bind_int(st, 5, (int64_t)height);
    hash_made(coin, height, sha);
    db_bind_blob(st, 6, sha, SUM_BYTES);
    rc = db_step_done(&db->db, st, "make coin", err);
    if (!rc)
        fold(sha, digest);
    return blame(rc, &coin->at, err);
}

enum errc state_coins_unmake(struct chaindb *db, const struct coin *coin,
                             uint64_t height, uint8_t digest[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_MADE_DROP);
    enum errc rc;

    bind_outpoint(st, &coin->at);
    rc = db_step_one(&db->db, st, "drop coin", err);
    if (!rc)
        state_coins_fold_made(coin, height, digest);
    return blame(rc, &coin->at, err);
}

enum errc state_coins_spend(struct chaindb *db, const struct outpoint *at,
                            uint64_t height, uint8_t digest[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_SPENT_PUT);
    enum errc rc;

    bind_outpoint(st, at);
    db_bind_int(st, 3, (int64_t)height);
    rc = db_step_done(&db->db, st, "spend coin", err);
    if (!rc)
        state_coins_fold_spent(at, digest);
    return blame(rc, at, err);
}

enum errc state_coins_unspend(struct chaindb *db, const struct outpoint *at,
                              uint8_t digest[32], struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_SPENT_DROP);
    enum errc rc;

    bind_outpoint(st, at);
    rc = db_step_one(&db->db, st, "unspend coin", err);
    if (!rc)
        state_coins_fold_spent(at, digest);
    return blame(rc, at, err);
}

static enum errc read_outpoint(sqlite3_stmt *st, struct outpoint *out, struct err *err)
{
    int64_t vout = sqlite3_column_int64(st, 1);

    if (vout < 0 || vout > UINT32_MAX || !db_column_blob(st, 0, out->txid, 32))
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored outpoint is malformed");
    out->vout = (uint32_t)vout;
    return ERR_OK;
}

enum errc state_coins_read_made(sqlite3_stmt *st, struct coin *out, uint64_t *height,
                                struct err *err)
{
    uint8_t sum[SUM_BYTES], sha[32];
    enum errc rc = read_outpoint(st, &out->at, err);

    if (rc)
        return rc;
    out->amount = sqlite3_column_double(st, 2);
    *height = (uint64_t)sqlite3_column_int64(st, 4);
    if (!db_column_text(st, 3, out->address, sizeof(out->address)) ||
        !db_column_blob(st, 5, sum, sizeof(sum)))
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored coin is malformed");
    hash_made(out, *height, sha);
    if (memcmp(sum, sha, sizeof(sum)) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "stored coin lost its hash");
    return ERR_OK;
}

enum errc state_coins_read_spent(sqlite3_stmt *st, struct outpoint *out,
                                 struct err *err)
{
    return read_outpoint(st, out, err);
}

enum errc state_coins_made(struct chaindb *db, const struct outpoint *at, bool *found,
                           struct coin *out, uint64_t *height, struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_MADE_GET);
    bool row;
    enum errc rc;

    bind_outpoint(st, at);
    rc = db_step_row(&db->db, st, &row, "read coin", err);
    if (!rc && row)
        rc = state_coins_read_made(st, out, height, err);
    if (!rc)
        *found = row;
    return rc;
}

enum errc state_coins_spent(struct chaindb *db, const struct outpoint *at, bool *found,
                            struct err *err)
{
    DB_STMT(st, &db->db, CHAIN_SPENT_GET);

    bind_outpoint(st, at);
    return db_step_row(&db->db, st, found, "read spent coin", err);
}
