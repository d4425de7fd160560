#ifndef SYNC_BUNDLE_BUNDLE_H
#define SYNC_BUNDLE_BUNDLE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sync/chain/params.h"
#include "sync/peer/headers_wire.h"
#include "sync/snapshot/manifest.h"

/*
 * A snapshot and the headers from genesis to its block in one file, for a machine
 * without a network (docs/bundle-format.md).  Read and written as a stream: memory does
 * not grow with either.  No network, no clock.  One thread at a time.
 */
#define BUNDLE_MAGIC "CAIRNBU1"
enum {
    BUNDLE_MAGIC_LEN = 8,
    BUNDLE_BATCH = HEADERS_WIRE_MAX, /* headers in every batch but the last */
};

/* --- reading --- */
struct bundle;

/* Reads the manifest, which is judged by itself alone: METADATA_MALFORMED;
   PAYLOAD_MALFORMED when this is no bundle. */
enum errc bundle_open(const char *path, struct bundle **out, struct err *err);
void bundle_close(struct bundle *b); /* NULL: no-op */
DEFINE_CLEANUP(struct bundle, bundle_close)
const struct manifest *bundle_manifest(const struct bundle *b);

/*
 * All of the rest, from its first byte to its last; once.  Signatures: whoever's they
 * are, they hold.  Headers: all rules, from params' genesis to the manifest's block,
 * their summed work the one it claims.  Table, frames and coins as snapdir_verify has
 * it.  Reasons: NETWORK_MISMATCH, BAD_SIGNATURE, HEADER_CHAIN_INVALID, WORK_MISMATCH,
 * PAYLOAD_MALFORMED, PAYLOAD_HASH_MISMATCH.
 *
 * dir: NULL, or where to unpack to: a directory that is not there yet (ERR_CONFLICT).
 * It is there, durable, when everything held, and not before.  done counts the file's
 * bytes.
 */
enum errc bundle_read(struct bundle *b, const struct chain_params *params,
                      const char *dir, _Atomic uint64_t *done, struct err *err);

/* --- writing --- */
struct bundle_source {
    const char *dir; /* a snapshot */
    const struct chain_params *params;
    /* Headers from..from + count - 1 of the chain that the snapshot is of; all of them,
       or an error.  count is at most BUNDLE_BATCH. */
    enum errc (*headers)(void *arg, uint64_t from, size_t count, struct header *room,
                         struct err *err);
    void *arg;
};

/* Checks everything that bundle_read will.  ERR_CONFLICT: something is at path.  The
   file is there, durable, when this returns ERR_OK, and not before; done counts its
   bytes. */
enum errc bundle_write(const struct bundle_source *from, const char *path,
                       _Atomic uint64_t *done, struct err *err);

#endif
