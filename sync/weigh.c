#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sync/core.h"

/* What stands above the candidate: the heaviest chain known, and who serves its next
   block. */

/* A chain that this node has validated itself, with more work than any the peers offer
   now, and the candidate is not on it.  An operator may leave it all the same. */
static enum errc weigh_own(struct engine *e, const struct chaindb_header *best,
                           struct err *err)
{
    struct job *j = &e->job;
    struct chaindb_header row;
    struct state_tip tip;
    bool found;

    if (!e->live.state || j->forced)
        return ERR_OK;
    if (state_get_tip(e->live.state, &tip, err) ||
        chaindb_active_at(e->live.db, j->meta.height, &found, &row, err))
        return err->code;
    if (memcmp(tip.work, best->work, WORK_BYTES) <= 0 ||
        (found && memcmp(row.hash, j->candidate.block_hash, 32) == 0))
        return ERR_OK;
    j->evidence.best_chain = TRUST_FAILS;
    (void)snprintf(
        j->best_detail, sizeof(j->best_detail),
        "our own validated chain, up to height %llu, has more work without it",
        (unsigned long long)tip.height);
    return ERR_OK;
}

static enum errc weigh_best(struct engine *e, struct err *err)
{
    struct job *j = &e->job;
    struct chaindb *db = e->building.db;
    struct chaindb_header best, row;
    bool found;

    if (chaindb_header_best(db, &found, &best, err))
        return err->code;
    row = best;
    while (found && row.height > j->meta.height)
        if (chaindb_header_get(db, row.prev, &found, &row, err))
            return err->code;
    j->evidence.confirmations_collected = TRUST_HOLDS;
    if (found && memcmp(row.hash, j->candidate.block_hash, 32) == 0) {
        j->evidence.best_chain = TRUST_HOLDS;
        j->evidence.confirmations = best.height - j->meta.height;
        return weigh_own(e, &best, err);
    }
    j->evidence.best_chain = TRUST_FAILS;
    (void)snprintf(j->best_detail, sizeof(j->best_detail),
                   "the heaviest chain known, up to height %llu, does not contain it",
                   (unsigned long long)best.height);
    return ERR_OK;
}

static enum errc count_servers(struct engine *e, struct err *err)
{
    struct job *j = &e->job;
    int64_t now = clock_now_ms(), mono = clock_mono_ms();
    uint64_t top = 0;

    j->evidence.next_block_peers = 0;
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);
        struct chaindb_header row;
        bool found;

        if (!peer_usable(p, mono, now) || !p->has_tip ||
            p->tip_height <= j->meta.height)
            continue;
        if (chaindb_header_get(e->building.db, p->tip_hash, &found, &row, err))
            return err->code;
        j->evidence.next_block_peers += found && row.status == CHAINDB_VALID;
    }
    j->evidence.next_block =
        j->evidence.next_block_peers > 0 ? TRUST_HOLDS : TRUST_FAILS;
    j->evidence.no_peers = peers_count(e->peers) == 0;
    j->evidence.at_network_tip = tips_height(e, &top) && top <= j->meta.height;
    return ERR_OK;
}

enum errc weigh_candidate(struct engine *e, struct err *err)
{
    enum errc rc = weigh_best(e, err);

    return rc ? rc : count_servers(e, err);
}
