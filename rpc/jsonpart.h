#ifndef RPC_JSONPART_H
#define RPC_JSONPART_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "rpc/span.h"

/*
 * Pieces of JSON text as they were spelled: 12 and 12.0 hash differently, and cJSON
 * knows no difference.  Only for text that jsontext_check accepted.  Pure; any thread.
 */

/* text without the space around it */
struct span jsonpart_trim(struct span text);

/* The value of the first member of that name, however the name is escaped.  False if
   object is no object or has none. */
bool jsonpart_member(struct span object, const char *name, struct span *value);

/* Elements of an array, in order: start with *element = {0}; false after the last. */
bool jsonpart_next(struct span array, struct span *element);

/* The name that one object of the tree has twice, or NULL. */
const char *jsonpart_duplicate(const cJSON *tree);

#endif
