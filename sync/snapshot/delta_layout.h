#ifndef SYNC_SNAPSHOT_DELTA_LAYOUT_H
#define SYNC_SNAPSHOT_DELTA_LAYOUT_H

#include "store/coinrec.h"
#include "sync/snapshot/delta.h"

/* The bytes of a delta: the head (DELTA_HEAD), the later manifest, the frames, the
   table (DELTA_ROW each).  An item of a frame is 0 and a key, or 1 and a record. */
enum {
    DELTA_REMOVED = 0,
    DELTA_ADDED = 1,
    DELTA_ITEM_MAX = 1 + COINREC_MAX,
};

struct delta_head {
    struct delta_info info;
    uint32_t manifest_bytes;
    uint64_t frames_bytes;
    uint8_t manifest_sha256[32], table_sha256[32];
};

void delta_head_write(const struct delta_head *h, uint8_t out[DELTA_HEAD]);
/* False: it is none, its hash is not its own, or a length is over its bound. */
bool delta_head_read(const uint8_t in[DELTA_HEAD], struct delta_head *out);
/* Bytes of the whole file. */
uint64_t delta_head_file(const struct delta_head *h);

struct delta_row {
    uint32_t frame_bytes, raw_bytes;
    uint8_t sha256[32]; /* of the frame */
};
void delta_row_write(const struct delta_row *row, uint8_t out[DELTA_ROW]);
void delta_row_read(const uint8_t in[DELTA_ROW], struct delta_row *out);

/* --- writing frames: delta_write.c --- */
struct delta_writer;

/* Leaves room for the head and writes the manifest. */
enum errc delta_writer_create(const char *path, const struct manifest *to,
                              struct delta_writer **out, struct err *err);
void delta_writer_free(struct delta_writer *w); /* unfinished: removes the file */
DEFINE_CLEANUP(struct delta_writer, delta_writer_free)
enum errc delta_writer_add(struct delta_writer *w, bool removed, const uint8_t *rec,
                           size_t len, struct err *err);
enum errc delta_writer_finish(struct delta_writer *w, const struct manifest *from,
                              struct delta_info *out, struct err *err);

/* --- the records of a snapshot in order: delta_cursor.c --- */
struct snapdir;
struct delta_cursor {
    struct snapdir *dir;
    uint32_t chunk; /* the next one */
    const uint8_t *raw;
    size_t at, bytes;
    const uint8_t *rec; /* NULL: the end */
    size_t len;
    const struct delta_watch *watch;
};
/* The first record, and each next one. */
enum errc delta_cursor_next(struct delta_cursor *c, struct err *err);

#endif
