#ifndef RPC_SPAN_H
#define RPC_SPAN_H

#include <stddef.h>

/* A piece of somebody else's text.  at NULL: none. */
struct span {
    const char *at;
    size_t len;
};

#endif
