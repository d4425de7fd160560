#ifndef RPC_PARAM_H
#define RPC_PARAM_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "rpc/span.h"

/*
 * Declarative parameters.  A method lists its fields once; the same list validates
 * requests, fills the method's struct, and is compared with openapi/.  Unknown and
 * missing fields are errors.  Pure; any thread.
 */
enum param_type {               /* what the target's field is, and the JSON it takes */
                  PARAM_INT,    /* struct param_int: integer min..max */
                  PARAM_STRING, /* const char *: min..max bytes */
                  PARAM_BOOL,   /* bool */
                  PARAM_HASH,   /* const char *: 64 lower-case hex digits */
                  PARAM_ENUM,   /* int, place in names; -1 when absent */
                  PARAM_TIME,   /* int64_t, ms since 1970: RFC 3339 UTC,
                                   "2026-11-22T09:00:00.000Z" */
                  PARAM_JOB,    /* int64_t: "job-7" */
                  PARAM_CURSOR, /* int64_t: what a list gave as next */
                  PARAM_OBJECT, /* struct span: the object as it was spelled */
};

/* Integers a double holds exactly. */
#define PARAM_INT_MAX 9007199254740991U

struct param_int {
    bool given;
    uint64_t value; /* the initial one when not given */
};

struct param_spec {
    const char *name; /* NULL ends a list */
    enum param_type type;
    bool required;
    bool admin;    /* for the admin role only; the dispatcher looks */
    size_t offset; /* of the field in the target */
    uint64_t min, max, initial;
    const char *const *names; /* NULL-ended */
};

/*
 * Validate params (an object, or NULL for none) and fill target, which the caller
 * zeroed. Strings are borrowed from params.  source is the object's own text, where
 * PARAM_OBJECT finds its piece.  INVALID names the field.
 */
enum errc param_parse(const struct param_spec *spec, const cJSON *params,
                      struct span source, void *target, struct err *err);

#endif
