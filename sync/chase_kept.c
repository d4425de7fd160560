#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "sync/bundle/bundle_headers.h"
#include "sync/core.h"
#include "sync/snapshot/snapdir.h"

/*
 * Headers that came with a snapshot, out of a bundle: rows for the walk of its proof,
 * which then needs nobody.  A row that the walk does not meet proves nothing, and one
 * that it meets is verified like any other; so the file is not to be believed either.
 */
enum { STEP = 500 }; /* headers: 30 ms of signatures */

struct chase_kept {
    struct bundle_headers *headers;
    uint64_t next, end; /* heights: of the next batch; after the last header */
    size_t used, count; /* of the batch in hand */
    struct header room[BUNDLE_BATCH];
};

void chase_kept_free(struct chase_kept *k)
{
    if (!k)
        return;
    bundle_headers_close(k->headers);
    free(k);
}

void chase_kept_begin(struct chase *c, const char *manifest)
{
    const char *slash = strrchr(manifest, '/');
    AUTOFREE char *dir = xstrndup(manifest, slash ? (size_t)(slash - manifest) : 0);
    struct chase_kept *k = xcalloc(1, sizeof(*k));
    struct err ignored; /* most snapshots came without */

    k->end = c->target_height + 1;
    if (bundle_headers_open(dir, &k->headers, &ignored)) {
        chase_kept_free(k);
        return;
    }
    c->kept = k;
}

static enum errc read_batch(struct chase_kept *k, struct err *err)
{
    uint64_t left = k->end - k->next;
    size_t count = left < BUNDLE_BATCH ? (size_t)left : BUNDLE_BATCH;

    if (bundle_headers_next(k->headers, k->next, count, k->room, err))
        return err->code;
    k->next += count;
    k->used = 0;
    k->count = count;
    return ERR_OK;
}

/* Rows have had their signatures checked, as those from peers have; the other rules are
   for the way up. */
static enum errc check_step(struct chase_kept *k, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (header_check_signature(&k->room[k->used + i], err))
            return err->code;
    return ERR_OK;
}

static enum errc put_step(struct chase *c, size_t n, struct err *err)
{
    enum errc rc = chaindb_begin(c->gen->db, err);

    for (size_t i = 0; i < n && !rc; i++) {
        struct chaindb_header row;
        bool added;

        rows_from_header(&c->kept->room[c->kept->used + i], &row);
        rc = chaindb_header_put(c->gen->db, &row, &added, err);
    }
    if (!rc)
        rc = chaindb_commit(c->gen->db, err);
    if (rc)
        chaindb_rollback(c->gen->db);
    return rc;
}

enum errc chase_kept_take(struct chase *c, struct err *err)
{
    struct chase_kept *k = c->kept;
    struct err why;
    size_t n = 0;
    bool bad = k->used == k->count && read_batch(k, &why);

    if (!bad) {
        n = k->count - k->used < STEP ? k->count - k->used : STEP;
        bad = check_step(k, n, &why) != ERR_OK;
    }
    if (bad) {
        log_warn("headers beside the snapshot are not used: ignoring",
                 KV_S("detail", why.msg));
        chase_kept_free(TAKE(c->kept));
        return ERR_OK;
    }
    if (put_step(c, n, err))
        return err->code;
    k->used += n;
    if (k->used == k->count && k->next == k->end)
        chase_kept_free(TAKE(c->kept));
    return ERR_OK;
}
