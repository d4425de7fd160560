#ifndef SYNC_CHAIN_AMOUNT_H
#define SYNC_CHAIN_AMOUNT_H

#include <stdbool.h>

#include "base/json.h"

/* Amounts (protocol.md 1.2).  Pure; any thread. */

/* Truncates at 18 decimals.  False: not finite, negative, above 121000000. */
bool amount_normalise(double value, double *out);
/* The same from a JSON number (int or float; a bool is refused). */
bool amount_read(const struct json *v, double *out);

#endif
