#ifndef STORE_CONTROL_AUDIT_CHAIN_H
#define STORE_CONTROL_AUDIT_CHAIN_H

#include "store/control.h"
#include "store/control_audit_hash.h"

/*
 * The walk along the audit log's chain, of the database or of an export: it goes on
 * after the first fault only to count.  Start with {.check.ok = true}.  Pure; any
 * thread.
 */
struct control_audit_chain {
    int64_t last;       /* seq; 0 before the first */
    uint8_t hash[32];   /* of the last entry */
    uint8_t before[32]; /* of the one before it */
    struct control_audit_check check;
};

/* linkable: prev and hash were readable.  whole: so were kind and body. */
void control_audit_chain_add(struct control_audit_chain *c,
                             const struct control_audit_entry *e, bool linkable,
                             bool whole);

/* Against the count and head kept apart; who has none looks at check and hash. */
void control_audit_chain_end(struct control_audit_chain *c, int64_t entries,
                             const uint8_t head[32]);

#endif
