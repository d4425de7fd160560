#include <string.h>

#include "base/hash.h"
#include "store/coinfile_impl.h"
#include "store/coinpass.h"

/* Racing threads may both hash; neither reads a record before one did. */
static enum errc check_chunk(struct coinfile *f, uint32_t i, struct err *err)
{
    struct coinidx_chunk c = coinidx_chunk(&f->ix, i);
    uint8_t sha[32];

    if (atomic_load_explicit(&f->checked[i], memory_order_acquire))
        return ERR_OK;
    hash_sha256(f->map.bytes + c.offset, c.len, sha);
    if (memcmp(sha, c.sha256, sizeof(sha)) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "coin file: chunk %u at byte %llu lost its hash", i,
                        (unsigned long long)c.offset);
    coinpass_drop(f->map.bytes, c.offset, c.offset + c.len);
    atomic_store_explicit(&f->checked[i], true, memory_order_release);
    return ERR_OK;
}

static enum errc not_a_coin(uint64_t at, struct err *err)
{
    return err_fail(err, REASON_STORAGE_CORRUPT, "coin file: no coin at byte %llu",
                    (unsigned long long)at);
}

enum errc coinfile_find(struct coinfile *f, const struct outpoint *at, bool *found,
                        struct coin *out, struct err *err)
{
    uint8_t key[COINREC_KEY];
    uint64_t from, end;
    uint32_t chunk;
    enum errc rc;

    coinrec_key(at, key);
    *found = false;
    if (!coinidx_seek(&f->ix, key, &from, &end, &chunk))
        return ERR_OK;
    rc = check_chunk(f, chunk, err);
    while (!rc && from < end) {
        const uint8_t *rec = f->map.bytes + from;
        size_t len = coinrec_length(rec, (size_t)(end - from));
        int order = len > 0 ? memcmp(rec, key, COINREC_KEY) : 0;
        u128 atto;

        if (order > 0)
            break;
        if (len == 0 || (order == 0 && coinrec_check(rec, len, &atto) != len))
            return not_a_coin(from, err);
        if (order == 0) {
            coinrec_decode(rec, out);
            *found = true;
            break;
        }
        from += len;
    }
    return rc;
}

struct scan {
    enum errc (*each)(void *arg, const uint8_t *rec, size_t len, struct err *err);
    void *arg;
    const uint8_t *last; /* record */
};

static enum errc scan_chunk(struct coinfile *f, const struct coinidx_chunk *c,
                            struct scan *s, struct err *err)
{
    uint64_t at = c->offset, end = c->offset + c->len;
    enum errc rc = ERR_OK;

    while (!rc && at < end) {
        const uint8_t *rec = f->map.bytes + at;
        u128 atto;
        size_t len = coinrec_check(rec, (size_t)(end - at), &atto);

        if (len == 0 || (s->last && memcmp(s->last, rec, COINREC_KEY) >= 0))
            return not_a_coin(at, err);
        rc = s->each(s->arg, rec, len, err);
        s->last = rec;
        at += len;
    }
    coinpass_drop(f->map.bytes, c->offset, end);
    return rc;
}

enum errc coinfile_records(struct coinfile *f,
                           enum errc (*each)(void *arg, const uint8_t *rec, size_t len,
                                             struct err *err),
                           void *arg, struct err *err)
{
    struct scan s = {.each = each, .arg = arg};
    enum errc rc = ERR_OK;

    for (uint32_t i = 0; i < f->ix.chunk_count && !rc; i++) {
        struct coinidx_chunk c = coinidx_chunk(&f->ix, i);

        rc = check_chunk(f, i, err);
        if (!rc)
            rc = scan_chunk(f, &c, &s, err);
    }
    return rc;
}

struct decoded {
    enum errc (*each)(void *arg, const struct coin *coin, struct err *err);
    void *arg;
};

static enum errc decode(void *arg, const uint8_t *rec, size_t len, struct err *err)
{
    const struct decoded *d = arg;
    struct coin coin;

    (void)len;
    coinrec_decode(rec, &coin);
    return d->each(d->arg, &coin, err);
}

enum errc coinfile_scan(struct coinfile *f,
                        enum errc (*each)(void *arg, const struct coin *coin,
                                          struct err *err),
                        void *arg, struct err *err)
{
    return coinfile_records(f, decode, &(struct decoded){each, arg}, err);
}

enum errc coinfile_verify(struct coinfile *f, const atomic_bool *cancel,
                          struct err *err)
{
    AUTOFREE uint8_t *idx = NULL;
    struct coinfile_id id;
    size_t len;
    enum errc rc = coinhead_decode(f->map.bytes, &id, err);

    if (!rc)
        rc = coinpass_run(f->map.bytes, f->map.len, &idx, &len, cancel, err);
    if (rc)
        return rc;
    /* The index is a function of the file: a chunk that changed shows in its row. */
    if (len != f->ix.len || memcmp(idx, f->ix.bytes, len) != 0)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "coin file is not the one its index was made of");
    return ERR_OK;
}
