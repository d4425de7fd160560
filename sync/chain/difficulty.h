#ifndef SYNC_CHAIN_DIFFICULTY_H
#define SYNC_CHAIN_DIFFICULTY_H

#include "sync/chain/header.h"

/*
 * The retarget rules of protocol.md 3.3, private to the header checks.  A range,
 * because rule 3 needs 2016 headers: a window that starts above genesis may have fewer,
 * and then only its bounds are known.  Pure.
 */
struct difficulty_range {
    uint32_t low, high;
};

enum { DIFFICULTY_GAP_SECONDS = 1200 };

/* Rules 2 to 5: what the next header has unless rule 1 applies. */
struct difficulty_range difficulty_regular(const struct header_window *w,
                                           const struct chain_params *params);

/* Rule 1: what follows a gap, on networks that have the rule. */
enum { DIFFICULTY_AFTER_GAP = 1 };

#endif
