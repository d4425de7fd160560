#ifndef SYNC_SERVE_SERVE_STOCK_H
#define SYNC_SERVE_SERVE_STOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "sync/reads.h"

/*
 * What stock nodes and their tools ask for, in stock's shapes and number spellings
 * (protocol.md 8.2; tests/data/http).  What this node has nothing of (a memory pool,
 * mining) is 0, false or "".  Each appends one JSON text and a newline.  r is of
 * reads_chain.  Any thread; knows nothing of HTTP.
 */
struct serve_node { /* what no database says */
    size_t peers;   /* that answered lately */
    int64_t started_ms, now_ms;
    bool ready;
};

enum errc serve_stock_stats(struct reader *r, const struct serve_node *node,
                            struct buf *out, struct err *err);
/* r NULL: there is no chain yet.  *healthy false: stock's status is 503. */
enum errc serve_stock_health(struct reader *r, const struct serve_node *node,
                             bool *healthy, struct buf *out, struct err *err);
/* list: a JSON array of count URLs. */
void serve_stock_peers(size_t count, const struct buf *list, struct buf *out);

/* /blocks: newest first, offset from the tip.  Below the base there are bare headers,
   as a restarted stock node has them.  No further block once 4 MiB are there. */
enum errc serve_stock_page(struct reader *r, uint64_t limit, uint64_t offset,
                           struct buf *out, struct err *err);

/* /block/latest.  Of a tip without a body (the mounted checkpoint) there is the summary
   alone, without a number of transactions. */
enum errc serve_stock_latest(struct reader *r, bool summary, struct buf *out,
                             struct err *err);

#endif
