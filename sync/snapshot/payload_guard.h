#ifndef SYNC_SNAPSHOT_PAYLOAD_GUARD_H
#define SYNC_SNAPSHOT_PAYLOAD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Looks at every byte before yajl does, since yajl lets pass what must not be: UTF-8
 * that is none, halves of surrogate pairs, foreign white space; and since yajl keeps a
 * token that spans two pieces and a stack as deep as the text likes, token and depth
 * are bounded here.  Syntax proper is left to yajl.  One text a guard; init by zeroes.
 */
enum {
    PAYLOAD_STRING_MAX = 1 << 20, /* bytes as spelled */
    PAYLOAD_NUMBER_MAX = 128,
    PAYLOAD_DEPTH_MAX = 70,
};

struct payload_guard {
    enum { GUARD_OUTSIDE, GUARD_STRING, GUARD_ESCAPE, GUARD_HEX, GUARD_UTF8 } state;
    unsigned depth;
    size_t token; /* bytes of the string, number or word so far */
    unsigned hex_left, hex_value;
    bool high_pending;           /* a high surrogate wants its other half */
    unsigned utf8_left;          /* bytes still to come of a character */
    uint8_t utf8_low, utf8_high; /* bounds of the next of them */
};

/* NULL, or what is wrong at *at. */
const char *payload_guard_check(struct payload_guard *g, const char *text, size_t len,
                                size_t *at);

#endif
