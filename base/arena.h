#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/*
 * Memory that is given out in pieces and freed as a whole.  The caller bounds the sum,
 * by bounding the input it is made for.  Start with struct arena a = {0}.  One thread
 * at a time; what was given out may be read by any.
 */
struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    char *next;
    size_t left;
    size_t last_bytes; /* of the last chunk: they grow up to a limit */
};

/* n * size zeroed bytes, aligned for any type; not NULL, also for n = 0. */
void *arena_alloc(struct arena *a, size_t n, size_t size)
    __attribute__((returns_nonnull));
/* A copy of the bytes with a NUL after them. */
char *arena_text(struct arena *a, const void *bytes, size_t len)
    __attribute__((returns_nonnull));
void arena_fini(struct arena *a);

#endif
