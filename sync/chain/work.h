#ifndef SYNC_CHAIN_WORK_H
#define SYNC_CHAIN_WORK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Proof of work summed over a chain, a 320-bit number: 2^64 blocks of 2^256 fit.
 * Big-endian bytes, so memcmp and a BLOB column order it.  Pure; any thread.
 */
enum { WORK_BYTES = 40, WORK_TEXT = 98 };

struct work {
    uint8_t be[WORK_BYTES];
};

/* 16^difficulty - 1, and 2^256 - 1 from 64 up (protocol.md 3.2). */
struct work work_of_block(uint32_t difficulty);
struct work work_add(struct work a, struct work b); /* saturates */
struct work work_sub(struct work a, struct work b); /* 0 when b > a */
int work_compare(const struct work *a, const struct work *b);
bool work_is_zero(const struct work *w);
void work_text(const struct work *w, char out[WORK_TEXT]); /* decimal */
/* Decimal digits only, no sign, no leading zero but "0"; false if not or too large. */
bool work_parse(const char *decimal, struct work *out);
double work_double(const struct work *w); /* rounded, for metrics */

#endif
