#ifndef STORE_EXTSORT_MERGE_H
#define STORE_EXTSORT_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "store/extsort.h"
#include "store/extsort_run.h"

/* Many sealed runs read as one: a heap of their first records.  Of equal records the
   one of the earlier run comes first.  Borrows the runs.  One thread. */
struct extsort_merge;

enum errc extsort_merge_create(struct extsort_run *const *runs, size_t count,
                               const struct extsort_options *opt,
                               struct extsort_merge **out, struct err *err);
void extsort_merge_free(struct extsort_merge *m);
DEFINE_CLEANUP(struct extsort_merge, extsort_merge_free)

/* Valid until the next call; *record NULL at the end. */
enum errc extsort_merge_next(struct extsort_merge *m, const uint8_t **record,
                             size_t *len, struct err *err);

#endif
