#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lower-case hex.  Pure; any thread. */

/* out takes 2 * len characters and a NUL. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);

/* Exactly len bytes out of the 2 * len characters at text.  False (out undefined) if
   one is no hex digit.  lower_only also refuses A-F. */
bool hex_decode(const char *text, size_t len, bool lower_only, uint8_t *out);

/* The common case: a NUL-terminated text of exactly 64 lower-case digits. */
bool hex_hash(const char *text, uint8_t out[32]);

#endif
