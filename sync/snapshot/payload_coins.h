#ifndef SYNC_SNAPSHOT_PAYLOAD_COINS_H
#define SYNC_SNAPSHOT_PAYLOAD_COINS_H

#include "sync/snapshot/payload.h"
#include "sync/snapshot/payload_entry.h"

/*
 * The coins of a payload: counted, summed and sorted as they come, then written as a
 * coin file.  A broken bound of the chain is kept until payload_coins_write, so that a
 * body that is not the one hashed is called that first.
 */
struct payload_coins;

/* All borrowed; progress may be NULL. */
enum errc payload_coins_create(const struct payload_paths *paths,
                               const struct payload_limits *limits,
                               struct payload_progress *progress,
                               struct payload_coins **out, struct err *err);
void payload_coins_free(struct payload_coins *c);
DEFINE_CLEANUP(struct payload_coins, payload_coins_free)

/* PAYLOAD_TOO_LARGE over the limit of coins. */
enum errc payload_coins_add(struct payload_coins *c, const struct payload_entry *e,
                            const char *owner, struct err *err);

/* The same of an entry whose address and script are known to be owner's: of e, the
   other fields. */
enum errc payload_coins_add_owned(struct payload_coins *c,
                                  const struct payload_entry *e, const char *owner,
                                  struct err *err);

struct payload_totals { /* as declared */
    uint64_t count;
    double value;
};

/* STATE_BOUNDS: the first bound broken.  Fills unspent, spent and coins of *out. */
enum errc payload_coins_write(struct payload_coins *c,
                              const struct payload_totals *totals,
                              const struct coinfile_id *id, struct payload_result *out,
                              struct err *err);

#endif
