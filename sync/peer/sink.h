#ifndef SYNC_PEER_SINK_H
#define SYNC_PEER_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Where the body of one answer goes: a file, or memory.  One thread. */
struct sink {
    int fd; /* -1: memory */
    struct buf body;
    uint64_t at;  /* bytes there, those of an earlier attempt included */
    uint64_t max; /* of at */
};

/* Not open yet; sink_fini may be called at any time. */
#define SINK_NONE ((struct sink){.fd = -1})

void sink_open_memory(struct sink *s, uint64_t max);
/* Cuts the file to offset and goes on there.  STORAGE_FAILED when it is shorter. */
enum errc sink_open_file(struct sink *s, const char *path, uint64_t offset,
                         uint64_t max, struct err *err);
/* PAYLOAD_TOO_LARGE past max, and then nothing is written. */
enum errc sink_put(struct sink *s, const void *bytes, size_t len, struct err *err);
/* The body is whole: a file is on disk when this is ERR_OK. */
enum errc sink_finish(struct sink *s, struct err *err);
void sink_fini(struct sink *s);

#endif
