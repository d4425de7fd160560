#include <string.h>

#include "sync/snapshot/delta_layout.h"
#include "sync/snapshot/snapdir.h"

/* Below: less than 0; above: more; a place that both have: 0. */
static int compare(const struct delta_cursor *a, const struct delta_cursor *b)
{
    if (!a->rec || !b->rec)
        return a->rec ? -1 : 1;
    return memcmp(a->rec, b->rec, COINREC_KEY);
}

static bool same(const struct delta_cursor *a, const struct delta_cursor *b)
{
    return a->len == b->len && memcmp(a->rec, b->rec, a->len) == 0;
}

/* What differs at the lowest key that either has; then both stand behind it. */
static enum errc step(struct delta_cursor *a, struct delta_cursor *b,
                      struct delta_writer *w, struct err *err)
{
    int order = compare(a, b);
    bool differs = order != 0 || !same(a, b);
    enum errc rc = ERR_OK;

    if (differs && order <= 0)
        rc = delta_writer_add(w, true, a->rec, COINREC_KEY, err);
    if (!rc && differs && order >= 0)
        rc = delta_writer_add(w, false, b->rec, b->len, err);
    if (!rc && order <= 0)
        rc = delta_cursor_next(a, err);
    if (!rc && order >= 0)
        rc = delta_cursor_next(b, err);
    return rc;
}

static enum errc merge(struct delta_cursor *a, struct delta_cursor *b,
                       struct delta_writer *w, struct err *err)
{
    enum errc rc = delta_cursor_next(a, err);

    if (!rc)
        rc = delta_cursor_next(b, err);
    while (!rc && (a->rec || b->rec))
        rc = step(a, b, w, err);
    return rc;
}

static enum errc check_pair(const struct manifest *a, const struct manifest *b,
                            struct err *err)
{
    if (strcmp(a->network, b->network) != 0 ||
        memcmp(a->genesis_hash, b->genesis_hash, 32) != 0)
        return err_fail(err, REASON_NETWORK_MISMATCH,
                        "the snapshots are of two networks");
    if (a->height > b->height)
        return err_set(err, ERR_INVALID, "a delta goes forward, not from %llu to %llu",
                       (unsigned long long)a->height, (unsigned long long)b->height);
    return ERR_OK;
}

enum errc delta_make(const char *from, const char *to, const char *path,
                     const struct delta_watch *watch, struct delta_info *out,
                     struct err *err)
{
    CLEANUP(snapdir_close) struct snapdir *a = NULL;
    CLEANUP(snapdir_close) struct snapdir *b = NULL;
    CLEANUP(delta_writer_free) struct delta_writer *w = NULL;
    enum errc rc = snapdir_open(from, &a, err);

    if (!rc)
        rc = snapdir_open(to, &b, err);
    if (!rc)
        rc = check_pair(snapdir_manifest(a), snapdir_manifest(b), err);
    if (!rc)
        rc = delta_writer_create(path, snapdir_manifest(b), &w, err);
    if (!rc)
        rc = merge(&(struct delta_cursor){.dir = a, .watch = watch},
                   &(struct delta_cursor){.dir = b, .watch = watch}, w, err);
    return rc ? rc : delta_writer_finish(w, snapdir_manifest(a), out, err);
}
