#include "sync/chain/sums.h"
#include "base/u128.h"

bool sums_suffice(double inputs, double outputs, double fee)
{
    u128 in, out, pay;

    return u128_from_amount(inputs, &in) && u128_from_amount(outputs, &out) &&
           u128_from_amount(fee, &pay) && in >= out + pay;
}
