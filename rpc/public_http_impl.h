#ifndef RPC_PUBLIC_HTTP_IMPL_H
#define RPC_PUBLIC_HTTP_IMPL_H

#include <microhttpd.h>

#include "rpc/public_http.h"

/* The inside of the public HTTP server, shared by public_http*.c alone. */
struct public_http {
    const struct public_site *site;
    struct budget *budget;
    struct MHD_Daemon *daemon;
};

/* Who asks; NULL when that cannot be known. */
const struct sockaddr *public_http_client(struct MHD_Connection *c);

/* Queues the answer; takes what say holds. */
enum MHD_Result public_http_say(struct public_http *h, struct MHD_Connection *c,
                                struct public_say *say);
/* 429 with Retry-After, and the connection's end. */
enum MHD_Result public_http_wait(struct MHD_Connection *c, unsigned seconds);

#endif
