#include <string.h>

#include "base/hash.h"
#include "store/bytes.h"
#include "store/control_audit_hash.h"

void control_audit_hash(const struct control_audit_entry *e, uint8_t out[32])
{
    static const char domain[] = "cairn-audit-v1"; /* its NUL is hashed */
    CLEANUP(hasher_free) struct hasher *h = hasher_create();
    uint8_t n[16];

    hasher_add(h, domain, sizeof(domain));
    hasher_add(h, e->prev, sizeof(e->prev));
    bytes_put_be64(n, (uint64_t)e->seq);
    bytes_put_be64(n + 8, (uint64_t)e->at_ms);
    hasher_add(h, n, sizeof(n));
    hasher_add(h, e->kind, strlen(e->kind) + 1);
    hasher_add(h, e->body, strlen(e->body));
    hasher_finish(h, out);
}
