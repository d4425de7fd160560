#ifndef BASE_PACK_FRAMES_H
#define BASE_PACK_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/*
 * Independent zstd frames (RFC 8878) of pieces whose length is known on both sides:
 * level 3, content size in the frame, no checksum, no dictionary, one thread, so that
 * equal bytes give equal frames for one version of libzstd.  The contexts are kept from
 * piece to piece.  One thread at a time.
 */
struct pack_frames;

struct pack_frames *pack_frames_create(void);
void pack_frames_free(struct pack_frames *p);
DEFINE_CLEANUP(struct pack_frames, pack_frames_free)

/* Room that a frame of len bytes can need. */
size_t pack_frames_bound(size_t len);
/* The frame's length. */
size_t pack_frames_put(struct pack_frames *p, const void *bytes, size_t len, void *out,
                       size_t room);
/* False unless it is one frame, whole, nothing after it, that says and has exactly raw
   bytes.  Hostile input: nothing is allocated by what it says. */
bool pack_frames_get(struct pack_frames *p, const void *frame, size_t len, void *out,
                     size_t raw);

/* "zstd/1.5.4": of the library in use. */
const char *pack_frames_library(void);

#endif
