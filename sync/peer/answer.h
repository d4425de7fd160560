#ifndef SYNC_PEER_ANSWER_H
#define SYNC_PEER_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

/* Values of HTTP fields, as a server wrote them.  Pure; any thread. */

struct answer_range { /* Content-Range */
    uint64_t first, last;
    uint64_t total; /* 0: "*" */
};

/* "bytes 0-99/200".  False when it is anything else, or contradicts itself. */
bool answer_range_parse(const char *text, struct answer_range *out);

/* Digits alone, at most 2^63 - 1. */
bool answer_u64_parse(const char *text, uint64_t *out);

/* An entity tag that may be kept and sent back: quoted, printable, not long. */
bool answer_etag_ok(const char *text);
bool answer_etag_weak(const char *text);

#endif
