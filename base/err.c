#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const enum errc reason_errc[REASON_COUNT] = {
#define REASON(id, code, errc, hint) [REASON_##id] = errc,
#include "base/reason.def"
#undef REASON
};

static enum reason general_reason(enum errc code)
{
    switch (code) {
    case ERR_OK:
        return REASON_NONE;
    case ERR_INVALID:
        return REASON_INVALID;
    case ERR_NOTFOUND:
        return REASON_NOT_FOUND;
    case ERR_CONFLICT:
        return REASON_CONFLICT;
    case ERR_BUSY:
        return REASON_BUSY;
    case ERR_IO:
        return REASON_STORAGE_FAILED;
    case ERR_NET:
        return REASON_SOURCE_UNREACHABLE;
    case ERR_VERIFY:
        return REASON_PAYLOAD_MALFORMED;
    case ERR_CANCELED:
        return REASON_CANCELLED;
    }
    abort();
}

enum errc err_set(struct err *err, enum errc code, const char *fmt, ...)
{
    va_list ap;

    err->code = code;
    err->reason = general_reason(code);
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    return code;
}

enum errc err_fail(struct err *err, enum reason reason, const char *fmt, ...)
{
    va_list ap;

    err->code = reason_errc[reason];
    err->reason = reason;
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    return err->code;
}

enum errc err_errno(struct err *err, const char *fmt, ...)
{
    int saved = errno;
    char what[160], why[64];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return err_fail(err,
                    saved == ENOSPC || saved == EDQUOT ? REASON_DISK_FULL
                                                       : REASON_STORAGE_FAILED,
                    "%s: %s", what, strerror_r(saved, why, sizeof(why)));
}

enum errc err_wrap(struct err *err, const char *fmt, ...)
{
    char prefix[64];
    char cause[sizeof(err->msg)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(prefix, sizeof(prefix), fmt, ap);
    va_end(ap);
    (void)snprintf(cause, sizeof(cause), "%s", err->msg);
    (void)snprintf(err->msg, sizeof(err->msg), "%s: %.*s", prefix,
                   (int)(sizeof(err->msg) - sizeof(prefix) - 3), cause);
    return err->code;
}

const char *errc_name(enum errc code)
{
    return code == ERR_OK ? "ok" : reason_code(general_reason(code));
}
