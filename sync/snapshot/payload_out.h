#ifndef SYNC_SNAPSHOT_PAYLOAD_OUT_H
#define SYNC_SNAPSHOT_PAYLOAD_OUT_H

#include "base/buf.h"
#include "base/err.h"

/* Text on its way to a file and into a hash, in pieces.  One thread. */
enum { PAYLOAD_OUT_PIECE = 256 << 10, PAYLOAD_OUT_MAX = 512 << 10 };

struct payload_out {
    int fd; /* -1: only hashed */
    const char *path;
    struct hasher *hasher; /* NULL: what comes now is not hashed; borrowed */
    struct buf text;       /* appended to by the caller, a little at a time */
    uint64_t bytes;        /* written before text */
};

#define PAYLOAD_OUT_NONE \
    ((struct payload_out){.fd = -1, .text = {.max = PAYLOAD_OUT_MAX}})

/* path NULL: no file.  It is created or truncated, mode 0600. */
enum errc payload_out_open(struct payload_out *o, const char *path, struct err *err);
/* Hands on what is in text once it is a piece. */
enum errc payload_out_pump(struct payload_out *o, struct err *err);
/* Hands on all of it. */
enum errc payload_out_flush(struct payload_out *o, struct err *err);
/* Flushed and synced. */
enum errc payload_out_finish(struct payload_out *o, struct err *err);
/* A file that was not finished is removed. */
void payload_out_fini(struct payload_out *o);

#endif
