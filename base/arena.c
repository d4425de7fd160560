#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"

enum { CHUNK_FIRST = 4096, CHUNK_MAX = 1 << 18, ALIGN = alignof(max_align_t) };

struct arena_chunk {
    struct arena_chunk *older;
    alignas(max_align_t) char bytes[];
};

static void grow(struct arena *a, size_t bytes)
{
    size_t size = a->last_bytes ? a->last_bytes * 2 : CHUNK_FIRST;
    struct arena_chunk *chunk;

    if (size > CHUNK_MAX)
        size = CHUNK_MAX;
    if (size < bytes)
        size = bytes;
    chunk = xcalloc(1, sizeof(*chunk) + size);
    chunk->older = a->chunks;
    a->chunks = chunk;
    a->next = chunk->bytes;
    a->left = a->last_bytes = size;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    void *p;

    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 4)
        abort(); /* like any allocation that cannot be had */
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > a->left || !a->next)
        grow(a, bytes);
    p = a->next;
    a->next += bytes;
    a->left -= bytes;
    return p;
}

char *arena_text(struct arena *a, const void *bytes, size_t len)
{
    char *p = arena_alloc(a, len + 1, 1);

    if (len > 0)
        memcpy(p, bytes, len);
    return p;
}

void arena_fini(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *older = a->chunks->older;

        free(a->chunks);
        a->chunks = older;
    }
    memset(a, 0, sizeof(*a));
}
