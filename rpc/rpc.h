#ifndef RPC_RPC_H
#define RPC_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sync/engine.h"

/*
 * The admin plane: one HTTP server for JSON-RPC at POST /rpc, /healthz, /readyz,
 * /metrics. Reads go through its own read-only database connections and the engine's
 * status copy; everything else is a message to the engine.
 */
struct rpc;

enum rpc_role { RPC_ROLE_READ, RPC_ROLE_ADMIN };

enum { RPC_TOKENS_MAX = 64 };

struct rpc_token {
    const char *name; /* for the audit log; "cookie" is the cookie's */
    enum rpc_role role;
    uint8_t hash[32]; /* BLAKE2b-256 of the token's text */
};

struct rpc_config {
    const char *listen;             /* "127.0.0.1:8645"; port 0 takes a free one */
    const char *data_dir;           /* rpc.cookie is written here */
    const struct rpc_token *tokens; /* beside the cookie's */
    size_t token_count;
    const struct chain_params *params;
    const char
        *config_json; /* effective configuration without secrets, for daemon.info */
    void (*stop)(void *arg); /* daemon.stop asks the program to end */
    void *stop_arg;
};

/* cfg is borrowed for the server's life.  Writes the cookie, listens, and writes where
   to DATA_DIR/rpc.address. */
enum errc rpc_start(const struct rpc_config *cfg, struct engine *engine,
                    struct rpc **out, struct err *err);
/* The address it listens on, "127.0.0.1:43211". */
const char *rpc_address(const struct rpc *rpc);
/* Ends waiting calls, closes connections, joins.  NULL: no-op. */
void rpc_stop(struct rpc *rpc);

#endif
