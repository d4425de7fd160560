#include <string.h>
#include <unistd.h>

#include "sync/snapshot/delta.h"

enum { CANCEL_EVERY = 4096 };

struct apply {
    struct delta_merge merge;
    const struct delta_watch *watch;
    uint64_t records, bytes;
};

static enum errc put(void *arg, const uint8_t *rec, size_t len, struct err *err)
{
    return coinfile_writer_add_record(arg, rec, len, err);
}

static enum errc each(void *arg, const uint8_t *rec, size_t len, struct err *err)
{
    struct apply *a = arg;

    a->bytes += len;
    if (a->records++ % CANCEL_EVERY == 0) {
        if (a->watch->cancel && atomic_load(a->watch->cancel))
            return err_fail(err, REASON_CANCELLED, "cancelled");
        if (a->watch->done)
            atomic_store(a->watch->done, a->bytes);
    }
    return delta_merge_add(&a->merge, rec, len, err);
}

static enum errc merge(struct coinfile *from, struct delta *d,
                       struct coinfile_writer *w, const struct delta_watch *watch,
                       struct err *err)
{
    struct apply a = {.merge = {.d = d, .put = put, .arg = w}, .watch = watch};
    enum errc rc = delta_merge_begin(&a.merge, err);

    if (!rc)
        rc = coinfile_records(from, each, &a, err);
    return rc ? rc : delta_merge_end(&a.merge, err);
}

static enum errc check_root(const struct delta_coins *paths,
                            const struct coinfile_info *made, const uint8_t want[32],
                            struct err *err)
{
    if (memcmp(made->state_root, want, 32) == 0)
        return ERR_OK;
    (void)unlink(paths->coins);
    (void)unlink(paths->idx);
    return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                    "what the delta leads to has not the state root of its manifest");
}

enum errc delta_apply_coins(const struct delta_coins *paths,
                            const struct delta_watch *watch, struct coinfile_info *out,
                            struct err *err)
{
    CLEANUP(coinfile_close) struct coinfile *from = NULL;
    CLEANUP(coinfile_writer_free) struct coinfile_writer *w = NULL;
    CLEANUP(delta_close) struct delta *d = NULL;
    struct coinfile_id id;
    enum errc rc = delta_open(paths->delta, &d, err);

    if (!rc)
        rc = coinfile_open(paths->from, paths->from_idx, NULL, &from, err);
    if (rc)
        return rc;
    if (memcmp(coinfile_info(from)->state_root, delta_info(d)->from_root, 32) != 0)
        return err_fail(err, REASON_PAYLOAD_HASH_MISMATCH,
                        "the delta begins at another state");
    id = manifest_coinfile_id(delta_manifest(d));
    rc = coinfile_writer_create(paths->coins, paths->idx, &id, &w, err);
    if (!rc)
        rc = merge(from, d, w, watch, err);
    if (!rc)
        rc = coinfile_writer_finish(w, out, err);
    return rc ? rc : check_root(paths, out, delta_info(d)->to_root, err);
}
