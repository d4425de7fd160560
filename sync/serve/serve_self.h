#ifndef SYNC_SERVE_SERVE_SELF_H
#define SYNC_SERVE_SERVE_SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sync/reads.h"

/*
 * What this node says of itself to other Cairns: the bodies that its identity then
 * signs (sync/peer/signed.h, docs/peer-protocol.md).  Canonical JSON, appended.  Any
 * thread; knows nothing of HTTP.
 */
enum { SERVE_CHECKPOINTS_MAX = 100 };

struct serve_self {
    const struct chain_params *params;
    uint8_t identity[32];
    uint8_t nonce[32];     /* the asker's */
    bool has_payload;      /* it is kept, and told at /peer/v1/payload/ */
    uint8_t payload[32];   /* of the block with this hash */
    const char *snapshots; /* those it serves, a JSON array: of ids in hello, else of
                              what each is; borrowed */
};

/* r is of reads_chain; NULL: there is no chain yet. */
enum errc serve_self_hello(struct reader *r, const struct serve_self *self,
                           struct buf *out, struct err *err);

/* The checkpoints accepted, newest first; r is of reads_control.  A source is named
   only if it is a URL that anybody may know: no path, no credentials, no query.  With
   each what was signed about it (sync/serve/serve_documents.h). */
enum errc serve_self_checkpoints(struct reader *r, const struct serve_self *self,
                                 struct buf *out, struct err *err);

/* The signed withdrawals of checkpoints that it knows; r is of reads_control. */
enum errc serve_self_revocations(struct reader *r, const struct serve_self *self,
                                 struct buf *out, struct err *err);

#endif
