#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/coinrec.h"
#include "store/coinroot.h"
#include "store/state_root.h"

/* Cuts records into chunks as a coin file's writer does: a chunk ends before the record
   that would take it past its most. */
struct walk {
    const atomic_bool *cancel;
    struct hasher *hasher;
    size_t used; /* bytes of the chunk under way */
    uint8_t *leaves;
    size_t count, cap;
    uint64_t coins;
    u128 total;
};

static void end_chunk(struct walk *w)
{
    if (w->used == 0)
        return;
    if (w->count == w->cap) {
        w->cap = w->cap > 0 ? 2 * w->cap : 64;
        w->leaves = xrealloc(w->leaves, 32 * w->cap);
    }
    hasher_finish(w->hasher, w->leaves + 32 * w->count++);
    w->used = 0;
}

static enum errc add(void *arg, const struct coin *coin, struct err *err)
{
    struct walk *w = arg;
    uint8_t rec[COINREC_MAX];
    size_t len;
    u128 atto;

    if (atomic_load_explicit(w->cancel, memory_order_relaxed))
        return err_fail(err, REASON_CANCELLED, "the state root was given up");
    if (coinrec_encode(coin, rec, &len, &atto, err))
        return err->code;
    if (w->used + len > COINFILE_CHUNK_MAX)
        end_chunk(w);
    hasher_add(w->hasher, rec, len);
    w->used += len;
    w->coins++;
    w->total += atto;
    return ERR_OK;
}

enum errc state_root_compute(struct state *s, const atomic_bool *cancel,
                             struct state_root *out, struct err *err)
{
    CLEANUP(hasher_free) struct hasher *hasher = hasher_create();
    struct walk w = {.cancel = cancel, .hasher = hasher};
    enum errc rc = state_scan(s, add, &w, err);

    if (!rc) {
        end_chunk(&w);
        out->coin_count = w.coins;
        out->total = w.total;
        coinroot_compute(w.leaves, w.count, w.coins, w.total, out->root);
    }
    free(w.leaves);
    return rc;
}
