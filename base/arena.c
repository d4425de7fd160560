#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/mem.h"

enum {
    CHUNK_FIRST = 4 << 10,
    GROWTH = 8,       /* times the last chunk */
    HUGE = 2 << 20,   /* a huge page of x86-64 and of most arm64 */
    LARGE = HUGE / 4, /* what is worth one; chunks do not grow beyond HUGE */
    ALIGN = alignof(max_align_t)
};

struct arena_chunk {
    struct arena_chunk *older;
    void *mapping; /* NULL: from the heap */
    size_t mapped;
    alignas(max_align_t) char bytes[];
};

/*
 * Page by page, the kernel needs longer to give out memory than a parser to fill it:
 * large chunks lie where huge pages can be.  What is mapped beside them for that is
 * never touched.
 */
static struct arena_chunk *map_chunk(size_t bytes)
{
    size_t mapped = bytes + HUGE;
    char *p =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct arena_chunk *chunk;

    if (p == MAP_FAILED)
        abort();
    chunk = (void *)(p + -(uintptr_t)p % HUGE);
    (void)madvise(chunk, bytes, MADV_HUGEPAGE); /* a wish */
    chunk->mapping = p;
    chunk->mapped = mapped;
    return chunk;
}

static void free_chunk(struct arena_chunk *chunk)
{
    if (chunk->mapping)
        (void)munmap(chunk->mapping, chunk->mapped);
    else
        free(chunk);
}

static void grow(struct arena *a, size_t bytes)
{
    size_t size = a->last_bytes ? a->last_bytes * GROWTH : CHUNK_FIRST;
    struct arena_chunk *chunk;

    if (size > HUGE)
        size = HUGE;
    if (size < bytes + sizeof(*chunk))
        size = bytes + sizeof(*chunk);
    if (size >= LARGE) {
        size = (size + HUGE - 1) / HUGE * HUGE;
        chunk = map_chunk(size);
    } else {
        chunk = xcalloc(1, size);
    }
    chunk->older = a->chunks;
    a->chunks = chunk;
    a->last_bytes = size;
    a->next = chunk->bytes;
    a->left = size - sizeof(*chunk);
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

        free_chunk(a->chunks);
        a->chunks = older;
    }
    memset(a, 0, sizeof(*a));
}
