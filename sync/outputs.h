#ifndef SYNC_OUTPUTS_H
#define SYNC_OUTPUTS_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"
#include "sync/chain/block.h"

/*
 * The state out of proven blocks.  Stock peers serve headers only inside blocks, and a
 * header commits, by merkle root and txids, to every input and output.  So a header
 * proof from genesis sees each coin made and spent.  outputs_note writes down a
 * block's; and outputs_compare sorts what was noted and holds a coin file against it.
 * This proves owner, amount and existence of every coin by work alone, before any
 * signature is checked.
 */

/* Appends the block's coins made and spent to blob.  A worker may call it. */
void outputs_note(const struct block *b, struct buf *blob);

/* Whether every block up to height has its notes: headers that came alone have none.
   Reads all of them; for a worker. */
enum errc outputs_whole(const char *dir, uint64_t height, bool *whole, struct err *err);

/*
 * Compares base.coins in dir with the notes in its chain.db (by a read-only connection
 * of its own).  STATE_BOUNDS names the first coin that differs.  Long; for a worker.
 */
enum errc outputs_compare(const char *dir, const char *tmp_dir, atomic_bool *cancel,
                          struct err *err);

#endif
