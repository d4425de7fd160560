#ifndef RPC_LISTEN_H
#define RPC_LISTEN_H

#include "base/err.h"

/*
 * The listening socket.  Loopback only: there is no TLS, and the token would travel in
 * the clear.
 */
enum { LISTEN_TEXT = 64 };

/* address: "127.0.0.1:8645" or "[::1]:8645"; port 0 takes a free one.  bound: the
   address it got.  The descriptor is the caller's.  INVALID names what is wrong. */
enum errc listen_open(const char *address, int *fd, char bound[LISTEN_TEXT],
                      struct err *err);

#endif
