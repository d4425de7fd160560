#ifndef STORE_EXTSORT_ORDER_H
#define STORE_EXTSORT_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* One of many records in an arena. */
struct extsort_item {
    uint64_t first; /* its first bytes as a big-endian number, or 0: they say nothing */
    uint32_t offset; /* in the arena; grows with the order of arrival */
    uint32_t len;
};

/*
 * Sorts n items by first, then by compare() of their records, then by arrival.  tmp has
 * room for as many again.  Pure; any thread.
 */
void extsort_order(struct extsort_item *items, size_t n, struct extsort_item *tmp,
                   const uint8_t *arena,
                   int (*compare)(const uint8_t *a, size_t a_len, const uint8_t *b,
                                  size_t b_len));

#endif
