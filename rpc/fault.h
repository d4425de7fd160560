#ifndef RPC_FAULT_H
#define RPC_FAULT_H

#include <cjson/cJSON.h>

#include "base/err.h"

/*
 * Everything a caller can be refused with: the faults of the protocol and of HTTP, and
 * the one place that turns our errors into the control plane's codes.  Constant; any
 * thread.
 */
enum fault {
    FAULT_NONE,
    /* JSON-RPC, answered with HTTP 200 */
    FAULT_PARSE,
    FAULT_REQUEST,
    FAULT_METHOD,
    FAULT_ROLE,
    FAULT_ANSWER_TOO_LARGE,
    /* HTTP, before anything is dispatched */
    FAULT_HOST,
    FAULT_ORIGIN,
    FAULT_TOKEN,
    FAULT_RATE, /* one of too many wrong tokens */
    FAULT_PATH,
    FAULT_VERB,
    FAULT_MEDIA_TYPE,
    FAULT_LENGTH,
    FAULT_TOO_LARGE,
    FAULT_OVERLOADED,
};

unsigned fault_http_status(enum fault fault);

/* The error object of an answer; the caller owns it.  detail may be NULL. */
cJSON *fault_json(enum fault fault, const char *detail);
cJSON *fault_json_err(const struct err *err);

/* A whole answer with id null, for HTTP: the caller frees the text. */
char *fault_answer(enum fault fault);
char *fault_answer_err(const struct err *err);

/* For a read over plain HTTP. */
unsigned fault_http_status_err(const struct err *err);

#endif
