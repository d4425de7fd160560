#ifndef SYNC_SERVE_SERVE_DOCUMENTS_H
#define SYNC_SERVE_SERVE_DOCUMENTS_H

#include "base/buf.h"
#include "base/err.h"
#include "store/control_trust.h"

/*
 * Signed documents (docs/trust-documents.md) that the node keeps, as JSON arrays for
 * others: canonical, appended.  The thread of the connection.
 */
enum {
    SERVE_ATTESTATIONS_MAX = 32, /* of one block */
    SERVE_REVOCATIONS_MAX = 256,
    SERVE_DOCUMENTS_BYTES_MAX = 2 << 20, /* in one answer: askers take 4 MiB */
};

/* About this block: the node's own first, then the newest.  *room: bytes that the
   answer has left for documents; one that does not fit is left out. */
enum errc serve_documents_attestations(struct control *c, uint64_t height,
                                       const uint8_t hash[32], size_t *room,
                                       struct buf *out, struct err *err);

/* The newest first; the operator's own, which nobody signed, are not told. */
enum errc serve_documents_revocations(struct control *c, size_t *room, struct buf *out,
                                      struct err *err);

#endif
