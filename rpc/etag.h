#ifndef RPC_ETAG_H
#define RPC_ETAG_H

#include <stdbool.h>
#include <stddef.h>

/* Entity tags (RFC 9110, 8.8.3): the hash of a body.  Pure; any thread. */
enum { ETAG_TEXT = 35 };

void etag_of(const void *body, size_t len, char out[ETAG_TEXT]); /* with its quotes */

/* Whether an If-None-Match header (NULL: there is none) names the tag. */
bool etag_matches(const char *header, const char *tag);

#endif
