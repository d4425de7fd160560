#ifndef STORE_FRAME_H
#define STORE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "store/chunktable.h"
#include "store/coinpart.h"

/*
 * One chunk as it travels: a zstd frame, proven by its row of the chunk table before
 * zstd sees a byte of it.  A struct frame keeps zstd's contexts; one thread at a time.
 */
struct frame;

struct frame *frame_create(void);
void frame_free(struct frame *f);
DEFINE_CLEANUP(struct frame, frame_free)

/*
 * The chunk in these row->frame_bytes bytes, into raw, which has room for
 * row->raw_bytes.  PAYLOAD_HASH_MISMATCH: they are not the frame's bytes; whoever gave
 * them is to blame, and another source may have it.  PAYLOAD_MALFORMED: they are, and
 * hold no such chunk (unpacking, hash, a record, order, count, keys); then whoever made
 * the manifest is to blame, and no source can help.
 */
enum errc frame_open(struct frame *f, const struct chunktable_row *row,
                     const uint8_t *bytes, uint8_t *raw, struct coinpart *part,
                     struct err *err);
/* The same of a chunk that is unpacked already; PAYLOAD_HASH_MISMATCH: it is another.
 */
enum errc frame_check_raw(const struct chunktable_row *row, const uint8_t *raw,
                          struct coinpart *part, struct err *err);

/* Packs a chunk that coinpart_read passed into out, which has room for
   CHUNKTABLE_FRAME_MAX, and fills the row but for the offsets and what is next. */
void frame_seal(struct frame *f, const uint8_t *raw, const struct coinpart *part,
                uint8_t *out, struct chunktable_row *row);

#endif
