#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/coinpass.h"

void coinpass_drop(const uint8_t *map, uint64_t from, uint64_t end)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    void *start;

    from = (from + page - 1) / page * page;
    end = end / page * page;
    if (from >= end)
        return;
    map += from;
    memcpy(&start, &map, sizeof(start)); /* madvise takes no pointer to const */
    (void)madvise(start, end - from, MADV_DONTNEED); /* only advice */
}

struct pass {
    const uint8_t *map;
    uint64_t at, end;
    const uint8_t *last_key;
    struct coinidx_builder *builder;
};

/* False when the next record belongs to the next chunk, or there is none. */
static enum errc take_record(struct pass *p, bool *more, struct err *err)
{
    const uint8_t *rec = p->map + p->at;
    u128 atto;
    size_t len;

    *more = p->at < p->end;
    if (!*more)
        return ERR_OK;
    len = coinrec_check(rec, (size_t)(p->end - p->at), &atto);
    if (len == 0)
        return err_fail(err, REASON_STORAGE_CORRUPT, "coin file: no coin at byte %llu",
                        (unsigned long long)p->at);
    if (p->last_key && memcmp(p->last_key, rec, COINREC_KEY) >= 0)
        return err_fail(err, REASON_STORAGE_CORRUPT,
                        "coin file: coins out of order at byte %llu",
                        (unsigned long long)p->at);
    *more = coinidx_builder_fits(p->builder, len);
    if (!*more)
        return ERR_OK;
    coinidx_builder_record(p->builder, rec, len, atto);
    p->last_key = rec;
    p->at += len;
    return ERR_OK;
}

static enum errc take_chunk(struct pass *p, struct err *err)
{
    uint64_t start = p->at;
    uint8_t sha[32];
    bool more = true;

    while (more) {
        enum errc rc = take_record(p, &more, err);

        if (rc)
            return rc;
    }
    hash_sha256(p->map + start, (size_t)(p->at - start), sha);
    coinidx_builder_chunk(p->builder, sha);
    coinpass_drop(p->map, start, p->at);
    return ERR_OK;
}

enum errc coinpass_run(const uint8_t *map, uint64_t file_bytes, uint8_t **idx,
                       size_t *idx_len, const atomic_bool *cancel, struct err *err)
{
    CLEANUP(coinidx_builder_free)
    struct coinidx_builder *builder = coinidx_builder_create(map);
    struct pass p = {
        .map = map, .at = COINHEAD_BYTES, .end = file_bytes, .builder = builder};

    while (p.at < p.end) {
        enum errc rc;

        if (cancel && atomic_load(cancel))
            return err_fail(err, REASON_CANCELLED, "cancelled");
        rc = take_chunk(&p, err);
        if (rc)
            return rc;
    }
    *idx = coinidx_builder_finish(builder, idx_len);
    return ERR_OK;
}
