#ifndef RPC_API_H
#define RPC_API_H

#include "rpc/methods.h"

/*
 * GET /api/v1/...: the reads of the method table for those who poll over plain HTTP.
 * The method's own result; parameters by name in the query.  Knows nothing of HTTP; any
 * thread.
 */

/* The method behind a path, NULL: none. */
const char *api_method(const char *path);

/* query: an object of strings, as they were decoded.  *text is the caller's. */
enum errc api_answer(struct rpc_ctx *ctx, const char *method, const cJSON *query,
                     char **text, struct err *err);

#endif
