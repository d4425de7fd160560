#ifndef SYNC_SNAPSHOT_PAYLOAD_CANON_H
#define SYNC_SNAPSHOT_PAYLOAD_CANON_H

#include "sync/snapshot/payload_entry.h"

/*
 * Makes state_hash out of the canonical text of data.  When the addresses come in
 * ascending order their lists are hashed as they pass (in order); when not, the lists'
 * texts are sorted by address on disk first, a long list in pieces.
 */
struct payload_canon;

struct payload_canon_options {
    bool in_order;
    const char *tmp_dir;
    size_t sort_memory;
};

enum errc payload_canon_create(const struct payload_canon_options *opt,
                               struct payload_canon **out, struct err *err);
void payload_canon_free(struct payload_canon *c);
DEFINE_CLEANUP(struct payload_canon, payload_canon_free)

/* The text of data up to the first address; only when in order. */
void payload_canon_start(struct payload_canon *c, const struct buf *before);

/* *descends: the address is below the last one, and in_order was the wrong choice. */
enum errc payload_canon_list(struct payload_canon *c, const char *address,
                             bool *descends, struct err *err);
enum errc payload_canon_entry(struct payload_canon *c, const struct payload_entry *e,
                              struct err *err);
/* The same of an entry whose canonical text is at hand. */
enum errc payload_canon_entry_text(struct payload_canon *c, const char *text,
                                   size_t len, struct err *err);

/*
 * Between the two, lists and entries are told but not written: their text, commas and
 * all, is canonical as it stands and handed over by pass_end.  Only before anything
 * was written, and false when not in order.
 */
bool payload_canon_pass_begin(struct payload_canon *c);
void payload_canon_pass_end(struct payload_canon *c, const char *text, size_t len);

enum errc payload_canon_list_end(struct payload_canon *c, struct err *err);

/* before is looked at when not in order. */
enum errc payload_canon_finish(struct payload_canon *c, const struct buf *before,
                               const struct buf *after, uint8_t hash[32],
                               struct err *err);

#endif
