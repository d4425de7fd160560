#ifndef STORE_EXTSORT_H
#define STORE_EXTSORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "store/bytes.h"

/*
 * External merge sort of byte records in bounded memory: sorted runs are spilled to
 * unnamed files in a directory and merged.  Records compare by compare(); equal ones
 * keep their order.  One thread at a time.
 */
struct extsort;

struct extsort_options {
    const char *dir;     /* where runs go; borrowed for the life of the sorter */
    size_t memory_bytes; /* held before a run is spilled: records and their order */
    size_t record_max;   /* bytes; a larger one is ERR_INVALID, an empty one too */
    /* Where the 8 bytes from first_at on of records differ, their order is compare's.
     */
    bool first_bytes;
    size_t first_at;
    int (*compare)(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
};

/* The number that orders records as far as first_bytes goes; 0 where it does not. */
static inline uint64_t extsort_first_of(const struct extsort_options *opt,
                                        const uint8_t *record, size_t len)
{
    return opt->first_bytes && len >= opt->first_at + 8
               ? bytes_be64(record + opt->first_at)
               : 0;
}

enum errc extsort_create(const struct extsort_options *opt, struct extsort **out,
                         struct err *err);
void extsort_free(struct extsort *s);
DEFINE_CLEANUP(struct extsort, extsort_free)

enum errc extsort_add(struct extsort *s, const void *record, size_t len,
                      struct err *err);

/* After the last add, once. */
enum errc extsort_finish(struct extsort *s, struct err *err);

/* The next record in order, valid until the next call; *record NULL at the end. */
enum errc extsort_next(struct extsort *s, const uint8_t **record, size_t *len,
                       struct err *err);

#endif
