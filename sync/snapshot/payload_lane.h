#ifndef SYNC_SNAPSHOT_PAYLOAD_LANE_H
#define SYNC_SNAPSHOT_PAYLOAD_LANE_H

#include "sync/snapshot/payload_walk.h"

/*
 * The fast lane for utxo_set in the very spelling of stock nodes, which is the
 * canonical text: lists and entries are recognised by comparison and their text is
 * hashed as it came, past parser and events.  The first thing in another spelling, be
 * it as good, ends the lane: the parser reads on from there, and judges it.
 */
struct payload_lane {
    struct payload_walk *walk; /* borrowed; has coins */
    bool begun, over;
    bool any_list, any_entry; /* a comma comes before the next */
    struct payload_entry entry;
};

struct payload_text {
    const char *text;
    size_t len;
    bool last; /* nothing follows */
};

/* Takes the next text of the file, as parser_feed does.  *used: bytes done with; the
   rest must come again in front of what follows it. */
enum errc payload_lane_feed(struct payload_lane *lane, struct payload_parser *p,
                            const struct payload_text *t, size_t *used,
                            struct err *err);

#endif
