#ifndef RPC_BYTERANGE_H
#define RPC_BYTERANGE_H

#include <stdint.h>

/* The Range header (RFC 9110, 14.2): one range of bytes.  Pure; any thread. */
enum byterange {
    BYTERANGE_NONE, /* not given, several, or no range: all is answered */
    BYTERANGE_PART,
    BYTERANGE_OUTSIDE, /* nothing of it is there */
};

/* size: of all.  first and len are set for BYTERANGE_PART only, len > 0. */
enum byterange byterange_read(const char *header, uint64_t size, uint64_t *first,
                              uint64_t *len);

#endif
