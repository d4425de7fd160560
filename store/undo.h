#ifndef STORE_UNDO_H
#define STORE_UNDO_H

#include "base/buf.h"
#include "base/coin.h"
#include "base/err.h"

/*
 * The coins of an undo record: what a block spent, with where it was, and what it made.
 * Entries, then a SHA-256 of them, as SQLite has no checksums.  Pure; any thread.
 */
#define UNDO_BYTES_MAX \
    ((size_t)256 << 20) /* a block of 2 MB spends some 30,000 coins */

struct undo_entry {
    bool spent; /* else made: only coin.at counts */
    struct coin coin;
    uint64_t made_height; /* of a spent coin; 0: it is in the base */
};

enum errc undo_put(struct buf *b, const struct undo_entry *e, struct err *err);
/* After the last entry; fails if the buffer was too small. */
enum errc undo_seal(struct buf *b, struct err *err);

struct undo_cursor {
    const uint8_t *at, *end;
};
/* STORAGE_CORRUPT unless the bytes have their hash. */
enum errc undo_open(const void *bytes, size_t len, struct undo_cursor *out,
                    struct err *err);
/* *more false after the last. */
enum errc undo_next(struct undo_cursor *c, bool *more, struct undo_entry *out,
                    struct err *err);

#endif
