#ifndef STORE_CONTROL_AUDIT_HASH_H
#define STORE_CONTROL_AUDIT_HASH_H

#include <stdint.h>

/* An audit entry with borrowed texts; its hash is the one control.h describes.
   Pure; any thread. */
struct control_audit_entry {
    int64_t seq, at_ms;
    const char *kind, *body;
    uint8_t prev[32], hash[32];
};

void control_audit_hash(const struct control_audit_entry *e, uint8_t out[32]);

#endif
