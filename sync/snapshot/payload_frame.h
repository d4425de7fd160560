#ifndef SYNC_SNAPSHOT_PAYLOAD_FRAME_H
#define SYNC_SNAPSHOT_PAYLOAD_FRAME_H

#include "sync/snapshot/payload_coins.h"
#include "sync/snapshot/payload_members.h"

/*
 * What stands around the addresses in data: the small members of data and of
 * utxo_snapshot, in canonical text, and the totals among them.
 */
struct payload_frame {
    struct payload_members data, snapshot;
};

void payload_frame_init(struct payload_frame *f);
void payload_frame_fini(struct payload_frame *f);

/* Canonical text of data before and after the members of utxo_set, by what has come. */
enum errc payload_frame_write(const struct payload_frame *f, struct buf *before,
                              struct buf *after, struct err *err);

/* total_utxos and total_value; *have false when one has not come (yet). */
enum errc payload_frame_totals(const struct payload_frame *f, bool *have,
                               struct payload_totals *out, struct err *err);

#endif
