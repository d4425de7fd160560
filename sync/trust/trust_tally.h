#ifndef SYNC_TRUST_TRUST_TALLY_H
#define SYNC_TRUST_TRUST_TALLY_H

#include "sync/trust/trust.h"

/*
 * Private to the room: votes counted, for every block at once, in O(n log n) whatever
 * the peers choose as names.
 */
struct trust_tally {
    size_t n;                         /* votes looked at */
    uint16_t block[TRUST_VOTES_MAX];  /* of each vote: which of the blocks */
    bool counted[TRUST_VOTES_MAX];    /* the first of its voter for this block */
    uint16_t votes[TRUST_VOTES_MAX];  /* of each block */
    uint16_t sample[TRUST_VOTES_MAX]; /* of each block: a vote for it */
    size_t blocks;
};

void trust_tally_make(const struct trust_evidence *e, struct trust_tally *t);
/* Counted votes for this block; 0 when nobody has it. */
size_t trust_tally_for(const struct trust_evidence *e, const struct trust_tally *t,
                       const uint8_t hash[32]);

/* Networks that the counted votes for this block span (trust_diversity.c). */
size_t trust_diversity_of(const struct trust_evidence *e, const struct trust_tally *t,
                          const uint8_t hash[32]);

/* A number for each vote, equal where the votes are equal, ascending with them from 0;
   how many there are. */
size_t trust_tally_rank(const struct trust_evidence *e, size_t n,
                        int (*compare)(const struct trust_vote *a,
                                       const struct trust_vote *b),
                        uint16_t out[TRUST_VOTES_MAX]);

#endif
