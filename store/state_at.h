#ifndef STORE_STATE_AT_H
#define STORE_STATE_AT_H

#include "store/state.h"

/*
 * The state as it was after an active block between the base and the tip: the undo
 * records above it, sorted, over the state as it is.  Memory is bounded whatever the
 * size of either: what does not fit is spilled.  Like state_scan: inside chaindb_begin,
 * the thread of the state, while the writer goes on.
 */
struct state_at;

/* Reads the undo records above height; spills to unnamed files in tmp_dir (borrowed).
   NOT_FOUND if height is over the tip or under the base; STORAGE_CORRUPT if a record is
   missing or not of the active chain. */
enum errc state_at_open(struct state *s, uint64_t height, const char *tmp_dir,
                        struct state_at **out, struct err *err);
void state_at_close(struct state_at *at);
DEFINE_CLEANUP(struct state_at, state_at_close)

/* The tip that the state had then. */
void state_at_tip(const struct state_at *at, struct state_tip *out);

/* The coins that were unspent then, in outpoint order; once.  Stops early when each()
   returns other than ERR_OK; it must not use the state.  STORAGE_CORRUPT if count and
   sum do not come out as those of that tip. */
enum errc state_at_scan(struct state_at *at,
                        enum errc (*each)(void *arg, const struct coin *coin,
                                          struct err *err),
                        void *arg, struct err *err);

#endif
