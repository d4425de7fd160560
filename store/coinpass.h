#ifndef STORE_COINPASS_H
#define STORE_COINPASS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/coinidx.h"

/* Mapped pages that were walked through once are let go of again, so that a pass over a
   large file does not count as the process's memory. */
void coinpass_drop(const uint8_t *map, uint64_t from, uint64_t end);

/*
 * One full pass over a coin file: every record, the order, the chunk rule, every hash.
 * Gives the index that belongs to it, the caller's to free.  STORAGE_CORRUPT names the
 * offset of the first fault; ERR_CANCELED when cancel (NULL: never) is set meanwhile.
 * Any thread.
 */
enum errc coinpass_run(const uint8_t *map, uint64_t file_bytes, uint8_t **idx,
                       size_t *idx_len, const atomic_bool *cancel, struct err *err);

#endif
