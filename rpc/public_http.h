#ifndef RPC_PUBLIC_HTTP_H
#define RPC_PUBLIC_HTTP_H

#include "rpc/budget.h"
#include "rpc/public_call.h"

/*
 * The public plane's HTTP server, libmicrohttpd's: takes connections and requests
 * within their budgets, packs answers, and lets go of who reads too slowly.
 */
struct public_http;

/* fd listens, and is the server's from now on; site outlives it. */
enum errc public_http_start(int fd, const struct public_site *site,
                            struct public_http **out, struct err *err);
void public_http_stop(struct public_http *h); /* NULL: no-op */

#endif
