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
    JSONRPC_QUICK_MAX = 64 << 10, /* a longer body takes a while to read */
};

enum jsonrpc_outcome {
    JSONRPC_ANSWERED, /* out is the answer; empty for notifications */
    JSONRPC_WAIT,     /* call again, may_wait false, when ctx says */
    JSONRPC_DEFER, /* call again, may_defer false, on a thread that may be kept busy */
};

/* out is an empty BUF(JSONRPC_ANSWER_MAX), and stays so unless ANSWERED. */
enum jsonrpc_outcome jsonrpc_answer(struct rpc_ctx *ctx, struct span body,
                                    struct buf *out);

#endif
