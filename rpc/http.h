#ifndef RPC_HTTP_H
#define RPC_HTTP_H

#include "rpc/auth.h"
#include "rpc/methods.h"
#include "rpc/throttle.h"
#include "rpc/wait.h"

/*
 * The HTTP server: the only user of libmicrohttpd.  A pool of threads serves all
 * connections; a call that waits for a job leaves its connection suspended and holds no
 * thread.
 */
struct http;

struct http_config { /* all outlive the server */
    int fd;          /* listening; the server's from now on */
    const struct auth *auth;
    struct throttle *throttle;
    struct waits *waits;
    struct rpc_ctx ctx; /* what every call starts with */
};

enum errc http_start(const struct http_config *cfg, struct http **out, struct err *err);
/* Accepts no new connection.  Call waits_stop between this and http_stop. */
void http_quiesce(struct http *h);
/* Lets answers under way go out, for a moment, then ends.  NULL: no-op. */
void http_stop(struct http *h);

#endif
