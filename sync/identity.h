#ifndef SYNC_IDENTITY_H
#define SYNC_IDENTITY_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

/*
 * The node's own Ed25519 key, node.key in the data directory (64 hex digits of seed and
 * a newline, mode 0600), made at the first start.  It signs what this node says of
 * itself; it spends nothing and is trusted by nobody who has not chosen to.  The secret
 * lives in locked memory.  Constant from identity_open to identity_close: any thread
 * may read it and sign.
 */
struct identity;

/* STORAGE_FAILED when the file cannot be read or made; CONFLICT when it is no key. */
enum errc identity_open(const char *path, struct identity **out, struct err *err);
void identity_close(struct identity *id);
DEFINE_CLEANUP(struct identity, identity_close)

void identity_public(const struct identity *id, uint8_t out[32]);
/* Over the whole message; the caller separates domains. */
void identity_sign(const struct identity *id, const void *message, size_t len,
                   uint8_t out[64]);

#endif
