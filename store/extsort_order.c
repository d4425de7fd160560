#include <stdlib.h>
#include <string.h>

#include "store/extsort_order.h"

/*
 * Two passes of a radix sort by the 16 highest bits leave few items with the same ones
 * where the keys are hashes; those few are inserted in place.  Keys that somebody chose
 * to be alike go through a sort whose time is bounded.
 */
enum { TOP_BITS = 16, DIGIT = 8, VALUES = 1 << DIGIT, INSERT_MAX = 32 };

struct records {
    const uint8_t *arena;
    int (*compare)(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
};

static int compare_items(const void *a, const void *b, void *arg)
{
    const struct extsort_item *x = a, *y = b;
    const struct records *r = arg;
    int order;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    order = r->compare(r->arena + x->offset, x->len, r->arena + y->offset, y->len);
    if (order != 0)
        return order;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void insert_each(struct extsort_item *items, size_t n, struct records *r)
{
    for (size_t i = 1; i < n; i++) {
        struct extsort_item item = items[i];
        size_t at = i;

        for (; at > 0 && compare_items(&item, &items[at - 1], r) < 0; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

static void sort_few(struct extsort_item *items, size_t n, struct records *r)
{
    if (n <= INSERT_MAX)
        insert_each(items, n, r);
    else
        qsort_r(items, n, sizeof(*items), compare_items, r);
}

/* Stable, by the eight bits from shift on. */
static void pass(const struct extsort_item *from, size_t n, struct extsort_item *to,
                 unsigned shift)
{
    size_t at[VALUES] = {0}, sum = 0;

    for (size_t i = 0; i < n; i++)
        at[from[i].first >> shift & (VALUES - 1)]++;
    for (size_t v = 0; v < VALUES; v++) {
        size_t count = at[v];

        at[v] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[at[from[i].first >> shift & (VALUES - 1)]++] = from[i];
}

void extsort_order(struct extsort_item *items, size_t n, struct extsort_item *tmp,
                   const uint8_t *arena,
                   int (*compare)(const uint8_t *a, size_t a_len, const uint8_t *b,
                                  size_t b_len))
{
    struct records r = {arena, compare};

    if (n <= INSERT_MAX) {
        insert_each(items, n, &r);
        return;
    }
    pass(items, n, tmp, 64 - TOP_BITS);
    pass(tmp, n, items, 64 - DIGIT);
    for (size_t begin = 0, end; begin < n; begin = end) {
        uint64_t top = items[begin].first >> (64 - TOP_BITS);

        for (end = begin + 1; end < n && items[end].first >> (64 - TOP_BITS) == top;)
            end++;
        sort_few(items + begin, end - begin, &r);
    }
}
