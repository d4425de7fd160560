#ifndef BASE_PYFLOAT_H
#define BASE_PYFLOAT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Numbers as Python spells them (protocol.md 1.1): the shortest digits that read back
 * as the same double, positional for exponents -4..15, always with '.' or 'e'.
 * NaN, Infinity and -Infinity are spelled too, for the vectors; nobody hashes them.
 * Pure; any thread.
 */
enum { PYFLOAT_TEXT = 32 };

/* Returns the length. */
size_t pyfloat_repr(double value, char out[PYFLOAT_TEXT]);

/* Told by the form alone that text is the pyfloat_repr of what it means: up to 15
   digits around a point (DBL_DIG), no sign.  False says nothing. */
bool pyfloat_is_short(const char *text, size_t len);

/* Correctly rounded, like strtod in the C locale; text is a JSON number. */
double pyfloat_parse(const char *text, size_t len);

#endif
