#include <math.h>

#include "sync/chain/reward.h"

enum { HALVING_BLOCKS = 262800 };
static const double SUPPLY_MAX = 121000000.0, REWARD_FIRST = 12.0, REWARD_MIN = 1e-18;

double reward_at(uint64_t height, double circulating)
{
    uint64_t halvings = height / HALVING_BLOCKS;
    double left = SUPPLY_MAX - circulating;
    double reward = halvings < 100 ? ldexp(REWARD_FIRST, -(int)halvings) : 0.0;

    if (reward < REWARD_MIN || left <= 0)
        return 0.0;
    return reward < left ? reward : left;
}
