#ifndef RPC_PUBLIC_PATHS_H
#define RPC_PUBLIC_PATHS_H

#include "rpc/public_call.h"

/* The handlers behind public_call.  rest: the path behind the handler's own. */
#define PUBLIC_HANDLER(name)                                                \
    void name(const struct public_site *site, const struct public_ask *ask, \
              const char *rest, struct public_say *say)

PUBLIC_HANDLER(public_peer_hello);
PUBLIC_HANDLER(public_peer_checkpoints);
PUBLIC_HANDLER(public_peer_revocations);
PUBLIC_HANDLER(public_peer_headers);
PUBLIC_HANDLER(public_peer_blocks);
PUBLIC_HANDLER(public_peer_payload); /* /peer/v1/payload/<hash> */
/* Whether that has something, and the hash. */
bool public_payload_kept(const struct public_site *site, uint8_t hash[32]);

PUBLIC_HANDLER(public_snapshot_list);
PUBLIC_HANDLER(public_snapshot_file); /* /snapshots/<id>/<file> */
/* The highest that are served, as a JSON array: what each is, or its id alone. */
enum { PUBLIC_SNAPSHOTS_TOLD = 8 };
enum errc public_snapshot_tell(const struct public_site *site, size_t most, bool ids,
                               struct buf *out, struct err *err);

PUBLIC_HANDLER(public_stock_stats);
PUBLIC_HANDLER(public_stock_health);
PUBLIC_HANDLER(public_stock_peers);
PUBLIC_HANDLER(public_stock_page);
PUBLIC_HANDLER(public_stock_latest);
PUBLIC_HANDLER(public_stock_block_at); /* /blocks/<height> */
PUBLIC_HANDLER(public_stock_block);    /* /block/<hash> */
PUBLIC_HANDLER(public_chunks_list);
PUBLIC_HANDLER(public_chunks_one); /* /sync/snapshot/<id>[/chunks][/chunk/<i>] */

#endif
