#ifndef STORE_EXTSORT_RUN_H
#define STORE_EXTSORT_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * A sorted run of extsort: records with a length before each, in an unnamed file,
 * written once through a buffer and then read once through a buffer.  One thread.
 */
struct extsort_run;

enum errc extsort_run_create(const char *dir, size_t record_max,
                             struct extsort_run **out, struct err *err);
void extsort_run_free(struct extsort_run *r);
DEFINE_CLEANUP(struct extsort_run, extsort_run_free)

enum errc extsort_run_add(struct extsort_run *r, const uint8_t *record, size_t len,
                          struct err *err);
/* Writes what is buffered and frees the buffer: a run that waits costs no memory. */
enum errc extsort_run_seal(struct extsort_run *r, struct err *err);

/* Steps to the first record, then the next: valid until the next step; *record NULL at
   the end. */
enum errc extsort_run_next(struct extsort_run *r, const uint8_t **record, size_t *len,
                           struct err *err);

#endif
