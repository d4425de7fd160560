#ifndef SYNC_CHAIN_SUMS_H
#define SYNC_CHAIN_SUMS_H

#include <stdbool.h>

/* 6.5: D(inputs) >= D(outputs) + D(fee), D being "%.18f" of the double.  Pure. */
bool sums_suffice(double inputs, double outputs, double fee);

#endif
