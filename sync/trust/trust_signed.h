#ifndef SYNC_TRUST_TRUST_SIGNED_H
#define SYNC_TRUST_TRUST_SIGNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "sync/trust/trust_key.h"

/*
 * The list of signatures that a signed document carries (docs/trust-documents.md): its
 * keys ascend, so there is one list of given signatures.  Which digest they are over is
 * the document's to say.  Pure; any thread.
 */
enum { TRUST_SIGNED_MAX = 64 };

struct trust_signed {
    struct trust_key key;
    uint8_t signature[64];
};

/* Adds one to a list on the heap; ERR_CONFLICT when the key has signed already, or
   there are enough. */
enum errc trust_signed_add(struct trust_signed **list, size_t *count,
                           const struct trust_signed *sig, struct err *err);
/* [{"alg","key","signature"}]. */
void trust_signed_write(const struct trust_signed *list, size_t count, struct buf *out);
/* Adds what is in such an array; false when it is none, or a key signs twice. */
bool trust_signed_read(const struct json *v, struct trust_signed **list, size_t *count);

#endif
