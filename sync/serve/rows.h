#ifndef SYNC_SERVE_ROWS_H
#define SYNC_SERVE_ROWS_H

#include "store/chaindb.h"
#include "sync/chain/header.h"

/* A header as the chain's rules have it, and as chain.db has it.  Pure; any thread. */
void rows_from_header(const struct header *h,
                      struct chaindb_header *out); /* ANCHORED */
void rows_to_header(const struct chaindb_header *row, struct header *out);

#endif
