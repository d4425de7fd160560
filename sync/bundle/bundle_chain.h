#ifndef SYNC_BUNDLE_BUNDLE_CHAIN_H
#define SYNC_BUNDLE_BUNDLE_CHAIN_H

#include "sync/chain/header.h"
#include "sync/snapshot/manifest.h"

/* Headers from genesis to a manifest's block, checked one after the other.  Private to
   the room. */
struct bundle_chain {
    const struct chain_params *params;
    struct header_window window;
    struct work work;
};

/* NETWORK_MISMATCH: the manifest is of another network than params. */
enum errc bundle_chain_begin(struct bundle_chain *c, const struct chain_params *params,
                             const struct manifest *m, struct err *err);
/* HEADER_CHAIN_INVALID names the header and its rule. */
enum errc bundle_chain_take(struct bundle_chain *c, const struct header *h,
                            struct err *err);
/* After the last: it is the manifest's block (HEADER_CHAIN_INVALID), and their work the
   one it claims (WORK_MISMATCH). */
enum errc bundle_chain_end(const struct bundle_chain *c, const struct manifest *m,
                           struct err *err);

#endif
