#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Allocation that aborts when there is none (docs/adr/0001).  Sizes that come from
   outside are checked against a named limit before they get here.  Any thread. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#endif
