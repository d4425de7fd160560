#ifndef SYNC_P2P_BUDGET_H
#define SYNC_P2P_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Token buckets as stock has them (protocol.md 9.2): so much at once, then so much a
 * second.  A zeroed bucket is full.  Pure; the owner's thread.
 */
struct budget_rule {
    double burst, per_second;
};

struct budget {
    double spent; /* as of at_ms; 0: full */
    int64_t at_ms;
};

/* False, and nothing is taken, when it has less. */
bool budget_take(struct budget *b, const struct budget_rule *rule, double amount,
                 int64_t mono_ms);
bool budget_has(struct budget *b, const struct budget_rule *rule, double amount,
                int64_t mono_ms);

#endif
