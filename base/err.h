#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/reason.h"

/*
 * Errors are values.  A fallible function returns an enum errc and takes a
 * struct err as its last argument; on failure it fills both.  The code says what
 * the caller should do, the reason why it failed, the message where.
 */
enum errc {
    ERR_OK = 0,
    ERR_INVALID,  /* caller supplied something malformed */
    ERR_NOTFOUND, /* named thing does not exist */
    ERR_CONFLICT, /* not allowed in the current state */
    ERR_BUSY,     /* a bounded resource is used up; retry */
    ERR_IO,       /* local file or database failed */
    ERR_NET,      /* source unreachable or misbehaved; retryable */
    ERR_VERIFY,   /* data breaks a rule; never retry the same data */
    ERR_CANCELED, /* stopped on request */
};

struct err {
    enum errc code;
    enum reason reason;
    char msg[232];
};

/* Fill err with the general reason of code; return code: return err_set(err, ...). */
enum errc err_set(struct err *err, enum errc code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Fill err with a reason and that reason's code; return the code. */
enum errc err_fail(struct err *err, enum reason reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_fail with ERR_IO reasons: DISK_FULL for ENOSPC and EDQUOT, else
   STORAGE_FAILED. Appends strerror(errno). */
enum errc err_errno(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prefix err->msg with context ("job 7: ...") and return err->code. */
enum errc err_wrap(struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Stable lower-case name of code, e.g. "not_found". */
const char *errc_name(enum errc code);

#endif
