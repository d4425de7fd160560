#ifndef RPC_JSONTEXT_H
#define RPC_JSONTEXT_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/err.h"
#include "rpc/span.h"

/*
 * JSON as text: what cJSON does not look at, and what it would lose.  A request is
 * checked here before cJSON sees it (cJSON takes leading zeros, control characters and
 * broken UTF-8), and pieces of it can be had as they were spelled, since 12 and 12.0
 * hash differently.  Pure; any thread.
 */

/* A copy in which every byte that is not UTF-8 is '?': our own messages may quote what
   somebody sent, cut anywhere. */
char *jsontext_clean(const char *text);

/* One RFC 8259 value in UTF-8, nested at most max_depth deep, no NUL in a string, no
   lone surrogate, no trailing bytes.  INVALID names the byte. */
enum errc jsontext_check(const char *text, size_t len, unsigned max_depth,
                         struct err *err);

/* The rest is for text that jsontext_check accepted. */

/* text without the space around it */
struct span jsontext_trim(struct span text);

/* The value of the first member of that name, however the name is escaped.  False if
   object is no object or has none. */
bool jsontext_member(struct span object, const char *name, struct span *value);

/* Elements of an array, in order: start with *element = {0}; false after the last. */
bool jsontext_next(struct span array, struct span *element);

/* The name that one object of the tree has twice, or NULL. */
const char *jsontext_duplicate(const cJSON *tree);

#endif
