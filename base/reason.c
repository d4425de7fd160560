#include <string.h>

#include "base/err.h"
#include "base/reason.h"

static const struct {
    const char *code, *hint;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = {"", ""},
#define REASON(id, code, errc, hint) [REASON_##id] = {code, hint},
#include "base/reason.def"
#undef REASON
};

const char *reason_code(enum reason reason)
{
    return reasons[reason].code;
}

const char *reason_hint(enum reason reason)
{
    return reasons[reason].hint;
}

bool reason_find(const char *code, enum reason *out)
{
    for (size_t i = 1; i < REASON_COUNT; i++) {
        if (strcmp(reasons[i].code, code) == 0) {
            *out = (enum reason)i;
            return true;
        }
    }
    return false;
}
