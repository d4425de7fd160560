#ifndef SYNC_SNAPSHOT_EXPORT_H
#define SYNC_SNAPSHOT_EXPORT_H

#include <stdatomic.h>

#include "sync/snapshot/manifest.h"
#include "sync/snapshot/payload_write.h"

/*
 * A Cairn snapshot in XAI's shapes (protocol.md 10.1, 10.4, 10.5), in constant memory:
 * its payload in one file; that cut into chunks with stock's descriptions of them; a
 * node's own checkpoint file.  One snapshot gives the same bytes each time.  Any
 * thread.
 */
enum { EXPORT_CHUNK = 1000000 }; /* bytes; stock's own default */

struct export_order {
    const char *snapshot;      /* its directory */
    const char *tmp_dir;       /* for the sort's runs */
    size_t sort_memory;        /* bytes */
    const atomic_bool *cancel; /* ends with ERR_CANCELED soon; NULL */
    _Atomic uint64_t *done;    /* coins written; NULL */
    /* Which of the manifest's signatures over XAI's digest the payload has, by its key
       as it stands there; NULL: none. */
    const char *signer;
};

/* path is created or truncated, synced, and removed again when it fails.  NOT_FOUND: no
   signature of that key.  PAYLOAD_HASH_MISMATCH when the manifest names another
   state_hash than the payload's. */
enum errc export_payload(const struct export_order *o, const char *path,
                         struct payload_written *out, struct err *err);

/* The same as a directory of chunks, which must not be there; a failed one is removed.
   id: of stock's, CHUNKED_ID bytes. */
enum errc export_chunks(const struct export_order *o, const char *dir, char id[40],
                        struct err *err);

/*
 * A directory with what protocol.md defines of a stock node's: checkpoints/
 * cp_<height>.json, plain, and chunked_sync/snapshots/<id>/.  It must not be there.
 */
enum errc export_stock(const struct export_order *o, const char *dir, struct err *err);

/* What export_chunks and export_stock made; NULL: no-op for what is not there. */
void export_remove_chunks(const char *dir);

#endif
