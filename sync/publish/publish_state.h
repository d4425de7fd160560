#ifndef SYNC_PUBLISH_PUBLISH_STATE_H
#define SYNC_PUBLISH_PUBLISH_STATE_H

#include "base/err.h"
#include "sync/publish/s3target.h"

/*
 * What a publication that was killed needs to go on with an upload in parts: a small
 * file in the snapshot's directory, one for each object and store.  Which parts are
 * done, the store knows.  Any thread.
 */
struct publish_state {
    uint64_t part_bytes;
    uint8_t sha256[32]; /* of the object */
    char *upload_id;    /* owned */
};

/* Where it is kept; the caller's. */
char *publish_state_path(const char *dir, const struct s3target *t, const char *key);
/* NOT_FOUND: none that makes sense; start anew. */
enum errc publish_state_read(const char *path, struct publish_state *out,
                             struct err *err);
/* Durable when it returns. */
enum errc publish_state_write(const char *path, const struct publish_state *s,
                              struct err *err);
void publish_state_forget(const char *path);

#endif
