#include "sync/p2p/budget.h"

static void refill(struct budget *b, const struct budget_rule *rule, int64_t mono_ms)
{
    if (mono_ms > b->at_ms)
        b->spent -= rule->per_second * (double)(mono_ms - b->at_ms) / 1000.0;
    if (b->spent < 0)
        b->spent = 0;
    b->at_ms = mono_ms;
}

bool budget_has(struct budget *b, const struct budget_rule *rule, double amount,
                int64_t mono_ms)
{
    refill(b, rule, mono_ms);
    return b->spent + amount <= rule->burst;
}

bool budget_take(struct budget *b, const struct budget_rule *rule, double amount,
                 int64_t mono_ms)
{
    if (!budget_has(b, rule, amount, mono_ms))
        return false;
    b->spent += amount;
    return true;
}
