#ifndef STORE_COINFILE_IMPL_H
#define STORE_COINFILE_IMPL_H

#include <stdatomic.h>

#include "store/coinidx.h"

/* The inside of struct coinfile, for coinfile.c and coinfile_read.c. */
struct mapping {
    const uint8_t *bytes;
    size_t len;
};

struct coinfile {
    struct mapping map;
    struct coinidx ix;
    struct mapping idx_map; /* the index is mapped ... */
    uint8_t *idx_heap;      /* ... or was rebuilt */
    atomic_bool *checked;   /* per chunk: its hash was found right since the open */
    struct coinfile_info info;
};

#endif
