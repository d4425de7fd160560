#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * Growable bytes with a maximum chosen at the start, so that no input decides how
 * much memory is used.  Appending past the maximum sets full and drops the bytes;
 * the caller looks once, at the end.  Always followed by a NUL that is not counted.
 * struct buf is a value: BUF(max) starts one, buf_fini frees what it holds.
 */
struct buf {
    char *data; /* NULL until the first byte */
    size_t len, cap, max;
    bool full;
};

#define BUF(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_fini(struct buf *b);
void buf_reset(struct buf *b); /* len = 0; keeps the memory */
void buf_put(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Memory of the buffer, NUL-terminated, now the caller's; the buffer is empty. */
char *buf_take(struct buf *b);

#define CLEANUP_BUF __attribute__((cleanup(buf_fini)))

#endif
