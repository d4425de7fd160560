#ifndef RPC_JSONTEXT_H
#define RPC_JSONTEXT_H

#include <stddef.h>

#include "base/err.h"

/*
 * JSON as text.  A request is checked here before cJSON sees it, which takes leading
 * zeros, control characters and broken UTF-8.  Pure; any thread.
 */

/* One RFC 8259 value in UTF-8, nested at most max_depth deep, no NUL in a string, no
   lone surrogate, no trailing bytes.  INVALID names the byte. */
enum errc jsontext_check(const char *text, size_t len, unsigned max_depth,
                         struct err *err);

/* Where the value at text ends, the space around it included; checked text only. */
const char *jsontext_skip(const char *text, const char *end);
const char *jsontext_skip_space(const char *text, const char *end);

/* A copy in which every byte that is not UTF-8 is '?': our own messages may quote what
   somebody sent, cut anywhere. */
char *jsontext_clean(const char *text);

#endif
