#include <stdlib.h>
#include <string.h>

#include "sync/trust/trust_tally.h"

struct sorting {
    const struct trust_vote *votes;
    int (*compare)(const struct trust_vote *a, const struct trust_vote *b);
};

static int by_vote(const void *a, const void *b, void *arg)
{
    const struct sorting *s = arg;
    uint16_t i = *(const uint16_t *)a, k = *(const uint16_t *)b;
    int c = s->compare(&s->votes[i], &s->votes[k]);

    return c != 0 ? c : (i > k) - (i < k);
}

size_t trust_tally_rank(const struct trust_evidence *e, size_t n,
                        int (*compare)(const struct trust_vote *a,
                                       const struct trust_vote *b),
                        uint16_t out[TRUST_VOTES_MAX])
{
    struct sorting s = {e->votes, compare};
    uint16_t order[TRUST_VOTES_MAX] = {0};
    size_t ranks = 0;

    for (size_t i = 0; i < n; i++)
        order[i] = (uint16_t)i;
    qsort_r(order, n, sizeof(order[0]), by_vote, &s);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && compare(&e->votes[order[i - 1]], &e->votes[order[i]]) != 0)
            ranks++;
        out[order[i]] = (uint16_t)ranks;
    }
    return n > 0 ? ranks + 1 : 0;
}

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int by_block(const struct trust_vote *a, const struct trust_vote *b)
{
    return memcmp(a->block_hash, b->block_hash, 32);
}

static int by_peer(const struct trust_vote *a, const struct trust_vote *b)
{
    return compare_text(a->peer, b->peer);
}

static int by_identity(const struct trust_vote *a, const struct trust_vote *b)
{
    return compare_text(a->identity ? a->identity : a->peer,
                        b->identity ? b->identity : b->peer);
}

/* The votes of one block after those of another, each block's in the order given. */
static void order_by_block(const struct trust_tally *t, uint16_t order[TRUST_VOTES_MAX])
{
    uint16_t at[TRUST_VOTES_MAX + 1] = {0};

    for (size_t i = 0; i < t->n; i++)
        at[t->block[i] + 1]++;
    for (size_t b = 0; b < t->blocks; b++)
        at[b + 1] = (uint16_t)(at[b + 1] + at[b]);
    for (size_t i = 0; i < t->n; i++)
        order[at[t->block[i]]++] = (uint16_t)i;
}

void trust_tally_make(const struct trust_evidence *e, struct trust_tally *t)
{
    uint16_t order[TRUST_VOTES_MAX] = {0}, peer[TRUST_VOTES_MAX] = {0};
    uint16_t identity[TRUST_VOTES_MAX] = {0};
    uint16_t peer_seen[TRUST_VOTES_MAX] = {0}, identity_seen[TRUST_VOTES_MAX] = {0};

    *t = (struct trust_tally){.n = e->vote_count < TRUST_VOTES_MAX ? e->vote_count
                                                                   : TRUST_VOTES_MAX};
    t->blocks = trust_tally_rank(e, t->n, by_block, t->block);
    (void)trust_tally_rank(e, t->n, by_peer, peer);
    (void)trust_tally_rank(e, t->n, by_identity, identity);
    order_by_block(t, order);
    for (size_t k = 0; k < t->n; k++) {
        size_t i = order[k];
        uint16_t mark = (uint16_t)(t->block[i] + 1); /* seen for this block */

        t->sample[t->block[i]] = (uint16_t)i;
        if (!e->votes[i].peer || peer_seen[peer[i]] == mark ||
            identity_seen[identity[i]] == mark)
            continue;
        peer_seen[peer[i]] = identity_seen[identity[i]] = mark;
        t->counted[i] = true;
        t->votes[t->block[i]]++;
    }
}

size_t trust_tally_for(const struct trust_evidence *e, const struct trust_tally *t,
                       const uint8_t hash[32])
{
    for (size_t b = 0; b < t->blocks; b++)
        if (memcmp(e->votes[t->sample[b]].block_hash, hash, 32) == 0)
            return t->votes[b];
    return 0;
}
