#ifndef RPC_ADMIT_H
#define RPC_ADMIT_H

#include <stddef.h>

#include "rpc/auth.h"
#include "rpc/fault.h"

/*
 * What may come in, decided from the head of an HTTP request alone, before a byte of
 * its body is read.  Pure; any thread.
 */
#define ADMIT_BODY_MAX ((size_t)64 << 20)

struct admit_head { /* NULL: no such header */
    const char *method, *path;
    const char *host, *origin, *authorization, *content_type, *content_length,
        *transfer_encoding;
};

enum admit_path {
    ADMIT_RPC,
    ADMIT_HEALTHZ,
    ADMIT_READYZ,
    ADMIT_METRICS,
    ADMIT_OPENAPI, /* /openapi.yaml */
    ADMIT_AUDIT,   /* /api/v1/audit.ndjson */
    ADMIT_API,     /* all else under /api/v1 */
};

struct admitted { /* as far as it was admitted */
    enum admit_path path;
    const char *method; /* of ADMIT_API: the method it reads */
    struct auth_caller caller;
    size_t body_len;
};

/* FAULT_NONE: all of *out holds. */
enum fault admit_request(const struct auth *auth, const struct admit_head *head,
                         struct admitted *out);

/* localhost, 127.0.0.0/8 or [::1], with or without a port. */
bool admit_host(const char *host);

/* The body's declared length, 0 when it declares none; false if that is no number. */
bool admit_length(const char *content_length, size_t *out);

#endif
