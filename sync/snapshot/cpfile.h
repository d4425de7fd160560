#ifndef SYNC_SNAPSHOT_CPFILE_H
#define SYNC_SNAPSHOT_CPFILE_H

#include <stdbool.h>

#include "sync/snapshot/payload.h"

/*
 * A stock node's checkpoint file, cp_<height>.json (protocol.md 10.1), plain or
 * encrypted, into the payload that it amounts to: height, block_hash, its
 * utxo_snapshot as data, and the state_hash of that, which the file itself does not
 * have.  Its checkpoint_hash covers the rest of its fields and is checked; nothing in
 * it is signed.
 */

/* The file begins like one. */
bool cpfile_is(const char *path);

struct cpfile_options {
    const char *key_path; /* file with the Fernet key, 44 characters; NULL: none */
    const char *network;
    const struct payload_limits *limits;
    /* The payload; coins, idx and tmp_dir take what is only made to be hashed, and is
       removed again. */
    struct payload_paths out;
    struct payload_progress *progress;
};

/* path must not change meanwhile.  Reads all of it: for a worker.  PAYLOAD_MALFORMED
   and the reasons of payload_ingest. */
enum errc cpfile_convert(const char *path, const struct cpfile_options *opt,
                         struct err *err);

#endif
