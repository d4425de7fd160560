#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Compression of whole texts in memory: zstd (RFC 8878) for our own peers, gzip (RFC
 * 1952) for everybody else's clients.  Any thread.
 */

/* Append the packed bytes; *out full when they do not fit. */
void pack_zstd(const void *bytes, size_t len, struct buf *out);
void pack_gzip(const void *bytes, size_t len, struct buf *out);

/* The bytes start as a zstd frame does. */
bool pack_is_zstd(const void *bytes, size_t len);

/*
 * Appends what one zstd frame holds.  Hostile input: the window is at most 8 MiB, and
 * the frame is left as soon as *out is full.  PEER_BAD_ANSWER for what is no whole
 * frame, has bytes after it, or does not fit.
 */
enum errc pack_unzstd(const void *bytes, size_t len, struct buf *out, struct err *err);

/* The same of one gzip member. */
enum errc pack_gunzip(const void *bytes, size_t len, struct buf *out, struct err *err);

#endif
