#ifndef RPC_LISTEN_H
#define RPC_LISTEN_H

#include <stdbool.h>

#include "base/err.h"

/* A listening socket. */
enum { LISTEN_TEXT = 64 };

struct listen_at {
    const char *key;     /* of the configuration, for messages: "rpc.listen" */
    const char *address; /* "127.0.0.1:8645" or "[::1]:8645"; port 0 takes a free one */
    bool loopback; /* nothing else: there is no TLS, and a token would travel in the
                      clear */
};

/* bound: the address it got.  The descriptor is the caller's.  INVALID names what is
   wrong. */
enum errc listen_open(const struct listen_at *at, int *fd, char bound[LISTEN_TEXT],
                      struct err *err);

#endif
