#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "sync/ask.h"

/* A round of questions: every peer that can be asked, for what it offers. */
enum {
    ROUND_MS = 20000, /* what has not come by then is not waited for */
    EMPTY_STEPS_MAX = 5,
    /*
     * Nor what has not come so long after an offer was there that the rules let pass,
     * and as many peers as quorum and diversity want: one silent peer holds nobody up.
     * An honest stock node needs up to 0.6 s for an answer's proof of work (protocol.md
     * 9.2) and may have a few others to make first.  The wait is for rivals, so that
     * the best of all is taken; an equivocation is not found by it but by the votes,
     * for which the job asks every peer, also those whose answer is still out; what
     * they say of checkpoints until then counts.
     */
    GRACE_MS = 3000,
};

void finds_reach(struct engine *e, size_t *peers, size_t *networks)
{
    const struct peer *seen[PEERS_MAX];
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    *peers = *networks = 0;
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        const struct peer *p = peers_at(e->peers, i);
        bool fresh = p->group[0] != '\0', twin = false;

        if (!ask_can(p, mono, now))
            continue;
        for (size_t k = 0; k < *peers && !twin; k++) {
            /* as its votes will: one identity once */
            twin =
                p->identity[0] != '\0' && strcmp(seen[k]->identity, p->identity) == 0;
            fresh = fresh && strcmp(seen[k]->group, p->group) != 0;
        }
        if (twin)
            continue;
        seen[(*peers)++] = p;
        *networks += fresh;
    }
}

static void answered(struct engine *e, const struct fetch *f)
{
    if (f->serial == e->finds.round && e->finds.out > 0)
        e->finds.out--;
}

static void on_payload(struct engine *e, const struct fetch *f, struct p2p_request *r)
{
    struct payload_meta meta;
    struct find *k;
    struct err err;

    answered(e, f);
    if (r->err.code || f->serial != e->finds.round)
        return;
    if (payload_meta_text(r->body, r->body_len, &meta, &err) || !meta.has_height ||
        !meta.has_block_hash) {
        peer_blame(f->peer, PEER_FAULT_ERROR, REASON_PEER_BAD_ANSWER, 0,
                   "a checkpoint_payload without metadata", clock_mono_ms(),
                   clock_now_ms());
        return;
    }
    k = finds_add(e, f->peer, &meta, "", true);
    if (k && !k->payload)
        k->payload = TAKE(r->body);
}

static void ask_payload(struct engine *e, struct peer *p)
{
    struct p2p_request *r = p2p_request_new(P2P_PAYLOAD);

    r->conn = p->conn;
    r->timeout_ms = ROUND_MS;
    e->finds.out += ask_p2p(e, r,
                            &(struct fetch){.peer = p,
                                            .serial = e->finds.round,
                                            .any_epoch = true,
                                            .told = on_payload});
}

static void on_claim(struct engine *e, const struct fetch *f, struct p2p_request *r)
{
    struct payload_meta meta = {.has_height = true, .has_block_hash = true};

    answered(e, f);
    if (r->err.code || !r->has_claim || f->serial != e->finds.round)
        return;
    meta.height = r->claim.height;
    hex_encode(r->claim.block_hash, 32, meta.block_hash);
    /* What another told it is that one's word, if anybody's. */
    if (!r->claim.own)
        return;
    if (strcmp(r->claim.url, P2P_URL_ASK) == 0)
        ask_payload(e, f->peer);
    else
        (void)finds_add(e, f->peer, &meta, r->claim.url, true);
}

static void ask_claim(struct engine *e, struct peer *p)
{
    struct p2p_request *r = p2p_request_new(P2P_CHECKPOINT);

    r->conn = p->conn;
    r->timeout_ms = ROUND_MS;
    e->finds.out += ask_p2p(
        e, r,
        &(struct fetch){
            .peer = p, .serial = e->finds.round, .any_epoch = true, .told = on_claim});
}

void finds_round_begin(struct engine *e)
{
    struct finds *f = &e->finds;
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    finds_clear(f);
    f->round++;
    f->out = 0;
    f->ends_at_mono_ms = mono + ROUND_MS;
    f->enough_at_mono_ms = 0;
    e->listing_at_mono_ms = 0; /* what Cairns over HTTP offer belongs to it */
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);

        if (p->kind == PEER_WS && ask_can(p, mono, now))
            ask_claim(e, p);
    }
}

void finds_refresh(struct engine *e)
{
    if (e->finds.ends_at_mono_ms == 0 && clock_mono_ms() >= e->finds.next_at_mono_ms &&
        finds_possible(e))
        finds_round_begin(e);
}

bool finds_round_enough(struct engine *e, int64_t mono_ms)
{
    struct finds *f = &e->finds;
    const struct find *best = finds_best(e);

    if (!best || !best->whole || !finds_enough(e))
        f->enough_at_mono_ms = 0;
    else if (f->enough_at_mono_ms == 0)
        f->enough_at_mono_ms = mono_ms;
    return f->enough_at_mono_ms != 0 && mono_ms - f->enough_at_mono_ms >= GRACE_MS;
}

void finds_round_end(struct engine *e)
{
    struct finds *f = &e->finds;
    int64_t mono = clock_mono_ms();

    f->ends_at_mono_ms = 0;
    if (finds_best(e)) {
        f->empty_rounds = 0;
    } else {
        f->offered_at_mono_ms = 0;
        if (f->empty_rounds < EMPTY_STEPS_MAX)
            f->empty_rounds++;
    }
    f->next_at_mono_ms =
        mono + (finds_rate_ms(e) << (f->empty_rounds ? f->empty_rounds - 1 : 0));
}
