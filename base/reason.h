#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stdbool.h>

/*
 * Why something was refused or failed, as a stable code with what to do about it.
 * The list is base/reason.def.  Constant data; any thread.
 */
enum reason {
    REASON_NONE = 0,
#define REASON(id, code, errc, hint) REASON_##id,
#include "base/reason.def"
#undef REASON
    REASON_COUNT
};

/* Stable code, e.g. "no_quorum"; "" for REASON_NONE. */
const char *reason_code(enum reason reason);

/* One sentence for the operator: what to do. */
const char *reason_hint(enum reason reason);

/* False if no reason has this code. */
bool reason_find(const char *code, enum reason *out);

#endif
