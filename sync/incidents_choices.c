#include <stddef.h>
#include <string.h>

#include "base/reason.h"
#include "sync/incidents_choices.h"

/*
 * keep: stay with what this node has.  replaced: it stands on something else now.
 * dismissed: it was looked into and nothing follows.
 */
const char *const *incidents_choices(const char *kind)
{
    static const char *const about_state[] = {"keep", "replaced", NULL};
    static const char *const others[] = {"dismissed", NULL};

    if (strcmp(kind, reason_code(REASON_REVOKED_LIVE)) == 0 ||
        strcmp(kind, reason_code(REASON_REORG_BELOW_CHECKPOINT)) == 0 ||
        strcmp(kind, reason_code(REASON_STORAGE_CORRUPT)) == 0)
        return about_state;
    return others;
}
