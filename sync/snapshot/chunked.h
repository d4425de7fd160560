#ifndef SYNC_SNAPSHOT_CHUNKED_H
#define SYNC_SNAPSHOT_CHUNKED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sync/snapshot/payload.h"

/*
 * XAI's chunked snapshot (protocol.md 10.5): a payload's text cut into pieces, with a
 * description of it and a checksum of each piece beside it.  Nothing authenticates a
 * piece: its checksum only tells a damaged one.  What was put together is judged as
 * a payload, by state_hash and all.  Hostile input throughout.
 */
enum {
    CHUNKED_ID = 40,             /* "height_<h>_<first 8 of block_hash>" and NUL */
    CHUNKED_CHUNK_MAX = 4 << 20, /* bytes; stock cuts at 1,000,000 */
    CHUNKED_CHUNKS_MAX = 1 << 17,
    CHUNKED_META_MAX = 4 << 20, /* of its text: a priority for each chunk */
};

struct chunked_meta {
    char id[CHUNKED_ID];
    uint64_t height;
    char block_hash[65], state_hash[65];
    uint32_t chunks, chunk_size;
    uint64_t total_size;
    bool compressed; /* what it says; each chunk is looked at */
};

/* metadata.json, or the answer that has it as "snapshot".  METADATA_MALFORMED, also
   when counts and sizes contradict each other or the name is not of this block. */
enum errc chunked_meta_parse(const char *text, size_t len, struct chunked_meta *out,
                             struct err *err);
/* Two descriptions of the same pieces. */
bool chunked_meta_same(const struct chunked_meta *a, const struct chunked_meta *b);

uint32_t chunked_size(const struct chunked_meta *m, uint32_t i); /* of chunk i */

/* chunk_%06d.json of chunk i: the checksum.  METADATA_MALFORMED. */
enum errc chunked_checksum_parse(const char *text, size_t len, uint32_t i,
                                 uint8_t out[32], struct err *err);

/* A chunk as it came, plain or gzip. */
struct chunked_chunk {
    const void *bytes;
    size_t len;
    uint8_t checksum[32];
};

/* Chunk i to its bytes, appended to out, which is empty; its max becomes their number.
   PEER_BAD_ANSWER unless it has its size and checksum. */
enum errc chunked_open(const struct chunked_meta *m, uint32_t i,
                       const struct chunked_chunk *chunk, struct buf *out,
                       struct err *err);

/* A directory with metadata.json and the chunks into one file, synced.  Reads it all:
   for a worker.  SOURCE_UNREACHABLE for what is missing, PAYLOAD_TOO_LARGE over
   max_bytes. */
bool chunked_is_dir(const char *dir);
enum errc chunked_join(const char *dir, const char *path, uint64_t max_bytes,
                       const atomic_bool *cancel, struct err *err);

#endif
