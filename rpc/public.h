#ifndef RPC_PUBLIC_H
#define RPC_PUBLIC_H

#include "base/err.h"
#include "sync/engine.h"

/*
 * The public plane: an HTTP server of its own for other nodes and for stock's tools
 * (docs/peer-protocol.md).  Read-only, without tokens, with budgets for every client;
 * nothing of the admin plane is reachable through it.
 */
struct public;

struct public_config {
    const char *listen;   /* "0.0.0.0:8646"; port 0 takes a free one; "": off */
    const char *data_dir; /* where the server listens is written to public.address */
    const struct chain_params *params;
    uint64_t requests_per_second; /* of one client, on average */
    uint64_t bytes_per_second;    /* of answers to one client, before packing */
    bool serve_snapshots;
};

/* cfg is borrowed for the server's life. */
enum errc public_start(const struct public_config *cfg, struct engine *engine,
                       struct public **out, struct err *err);
/* The address it listens on, "0.0.0.0:8646". */
const char *public_address(const struct public *p);
/* Closes connections, joins.  NULL: no-op. */
void public_stop(struct public *p);

#endif
