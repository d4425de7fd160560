#ifndef RPC_EMBEDDED_H
#define RPC_EMBEDDED_H

#include <stddef.h>

/* openapi/openrpc.json, embedded at build: what rpc.discover answers. */
extern const unsigned char openrpc_doc[];
extern const size_t openrpc_doc_len;

/* openapi/openapi.yaml: the paths. */
extern const unsigned char openapi_doc[];
extern const size_t openapi_doc_len;

#endif
