#ifndef SYNC_SNAPSHOT_PAYLOAD_WALK_H
#define SYNC_SNAPSHOT_PAYLOAD_WALK_H

#include "sync/snapshot/payload_canon.h"
#include "sync/snapshot/payload_coins.h"
#include "sync/snapshot/payload_frame.h"

/*
 * Follows the events of a payload through its levels: metadata, data, utxo_snapshot,
 * utxo_set, an address' list, an entry.  Without coins it skims: the metadata are kept,
 * data is passed over.
 */
enum payload_level {
    WALK_START,
    WALK_TOP,
    WALK_AT_DATA, /* its key has come, its value must */
    WALK_DATA,
    WALK_AT_SNAPSHOT,
    WALK_SNAPSHOT,
    WALK_AT_SET,
    WALK_SET,
    WALK_AT_LIST,
    WALK_LIST,
    WALK_ENTRY,
    WALK_SKIM, /* inside data, unread */
    WALK_DONE,
};

struct payload_walk {
    enum payload_level level;
    struct payload_members top;
    struct payload_frame frame;
    struct payload_members *taking; /* a small member's value is under way */
    bool seen_data, seen_snapshot, seen_set;
    unsigned skim_depth;
    unsigned muted;              /* events to come that are not of the file */
    struct payload_canon *canon; /* borrowed; both NULL: skim */
    struct payload_coins *coins;
    bool in_order; /* as canon was made */
    bool disorder; /* stopped, since keys are not in canonical order */
    struct payload_entry entry;
    char owner[COIN_ADDRESS_MAX + 1];
};

void payload_walk_init(struct payload_walk *w);
void payload_walk_fini(struct payload_walk *w);

/* A payload_sink's event. */
enum errc payload_walk_event(void *walk, const struct payload_event *ev,
                             struct err *err);

/* Its part inside utxo_set; and how both parts stop when in_order does not hold. */
enum errc payload_walk_coins(struct payload_walk *w, const struct payload_event *ev,
                             struct err *err);
enum errc payload_walk_out_of_order(struct payload_walk *w, struct err *err);

/* After the last event. */
enum errc payload_walk_hash(struct payload_walk *w, uint8_t hash[32], struct err *err);

#endif
