#ifndef SYNC_SERVE_SERVE_CHUNKS_H
#define SYNC_SERVE_SERVE_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Snapshots in stock's chunks that this node keeps for others (protocol.md 8.2, 10.5):
 * directories as stock's chunk service has them, made by snapshot.export.  Any thread;
 * knows nothing of HTTP.
 */
#define SERVE_CHUNKS_DIR "chunked" /* in the data directory */
enum {
    SERVE_CHUNKS_KEPT = 2, /* the highest */
    SERVE_CHUNKS_ID = 40,
    SERVE_CHUNK_MAX = 4 << 20, /* bytes */
};

/* Removes all but the highest SERVE_CHUNKS_KEPT of a directory of them. */
void serve_chunks_trim(const char *dir);

bool serve_chunks_any(const char *data_dir);

/* Each appends one JSON text, as stock's routes answer, and a newline.  False: there is
   no such snapshot.  id "latest": the highest. */
void serve_chunks_list(const char *data_dir, struct buf *out);
bool serve_chunks_meta(const char *data_dir, const char *id, struct buf *out);
bool serve_chunks_table(const char *data_dir, const char *id, struct buf *out);

struct serve_chunk {
    int fd; /* of its bytes, the caller's to close */
    uint64_t len;
    uint32_t chunks;   /* of the snapshot */
    char checksum[65]; /* of the bytes, hex */
};
bool serve_chunks_open(const char *data_dir, const char *id, uint64_t i,
                       struct serve_chunk *out);

#endif
