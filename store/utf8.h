#ifndef STORE_UTF8_H
#define STORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 without NULs: shortest forms, no surrogates, at most U+10FFFF.
   Pure; any thread. */
bool utf8_valid(const char *text, size_t len);

#endif
