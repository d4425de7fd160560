#include <string.h>

#include "base/clock.h"
#include "sync/ask.h"

/* What the peers have at the candidate's height: a block each, computed to its hash by
   us, is its word. */
enum { VOTE_TIMEOUT_MS = 15000 };

static void one_vote_less(struct engine *e)
{
    if (--e->job.votes_out == 0)
        e->job.votes_done(e);
}

static void on_vote_decoded(struct engine *e, struct job_task *t)
{
    struct decoded *d = (void *)t;
    struct job *j = &e->job;

    if (!d->err.code && d->header.height != j->meta.height)
        (void)err_fail(&d->err, REASON_BLOCK_HASH_MISMATCH,
                       "a block of another height");
    if (d->err.code) {
        peer_blame(d->peer, PEER_FAULT_LIE, d->err.reason, 0, d->err.msg,
                   clock_mono_ms(), clock_now_ms());
    } else if (j->vote_count < TRUST_VOTES_MAX) {
        struct vote *v = &j->votes[j->vote_count++];

        v->peer = d->peer;
        memcpy(v->block_hash, d->header.hash, 32);
    }
    one_vote_less(e);
}

/* It has no such block, as a node that began above it; its own checkpoint of that
   height is its word as well. */
static void vote_by_checkpoint(struct engine *e, struct peer *p)
{
    struct job *j = &e->job;
    uint8_t hash[32];

    if (j->vote_count == TRUST_VOTES_MAX ||
        !finds_word(&e->finds, p, j->meta.height, hash))
        return;
    j->votes[j->vote_count].peer = p;
    memcpy(j->votes[j->vote_count++].block_hash, hash, 32);
}

static void on_vote(struct engine *e, const struct fetch *f, struct transfer_request *r)
{
    struct decoded *d;

    e->job.voted[f->peer->slot] = !r->err.code && r->status != 429;
    if (r->err.code || r->status != 200) {
        vote_by_checkpoint(e, f->peer);
        one_vote_less(e);
        return;
    }
    d = decoded_new(r, f->peer, e->cfg->params);
    d->base.done = on_vote_decoded;
    engine_run(e, &d->base);
}

void votes_ask(struct engine *e, void (*done)(struct engine *e))
{
    struct job *j = &e->job;
    int64_t mono = clock_mono_ms(), now = clock_now_ms();

    j->votes_done = done;
    j->votes_out = 1; /* so that the last answer comes after the last question */
    for (size_t i = 0; i < peers_count(e->peers); i++) {
        struct peer *p = peers_at(e->peers, i);

        if (ask_can(p, mono, now) && !j->voted[p->slot])
            j->votes_out += ask_block(e, j->meta.height, VOTE_TIMEOUT_MS,
                                      &(struct fetch){.peer = p, .done = on_vote});
    }
    one_vote_less(e);
}

bool votes_claim(const struct job *j, const struct peer *p, const uint8_t hash[32])
{
    for (size_t i = 0; i < j->vote_count; i++)
        if (j->votes[i].peer == p)
            return memcmp(j->votes[i].block_hash, hash, 32) == 0;
    return false;
}

/* Whoever was caught lying about the blocks below has no word in it.  (Above, a lax
   node may follow what we refuse, and still be right about the checkpoint.) */
void votes_drop_liars(struct job *j)
{
    int64_t now = clock_now_ms();
    size_t kept = 0;

    for (size_t i = 0; i < j->vote_count; i++)
        if (j->votes[i].peer->banned_until_ms <= now)
            j->votes[kept++] = j->votes[i];
    j->vote_count = kept;
}
