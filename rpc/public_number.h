#ifndef RPC_PUBLIC_NUMBER_H
#define RPC_PUBLIC_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of a path or query, from strangers.  Pure; any thread. */

/* 1 to 19 digits, at most 2^63 - 1.  NULL: false. */
bool public_number_height(const char *text, uint64_t *out);

/* As Python's int() takes them, as far as anybody sends them: a sign, digits.  What is
   over 2^63 - 1 is that.  NULL, or no integer: false. */
bool public_number_int(const char *text, int64_t *out);

#endif
