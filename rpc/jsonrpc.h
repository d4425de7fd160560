#ifndef RPC_JSONRPC_H
#define RPC_JSONRPC_H

#include "base/buf.h"
#include "rpc/methods.h"

/*
 * JSON-RPC 2.0: a body in, an answer out.  Knows nothing of HTTP; any thread.
 */
enum {
    JSONRPC_DEPTH_MAX = 64,
    JSONRPC_BATCH_MAX = 100,
    /* what a request may be without its inline payload */
    JSONRPC_REQUEST_MAX = 1 << 20,
    JSONRPC_ID_MAX = 256,
    JSONRPC_ANSWER_MAX = 64 << 20,
};

/*
 * Answers body into out, an empty BUF(JSONRPC_ANSWER_MAX); nothing for notifications.
 * False: the call wants to wait, out is untouched; do what ctx->wait_job says and call
 * again with may_wait false.
 */
bool jsonrpc_answer(struct rpc_ctx *ctx, struct span body, struct buf *out);

#endif
