#ifndef SYNC_SNAPSHOT_PAYLOAD_MEMBERS_H
#define SYNC_SNAPSHOT_PAYLOAD_MEMBERS_H

#include "base/buf.h"
#include "base/json.h"
#include "sync/snapshot/payload_stream.h"

/*
 * The small members of an object whose big one is streamed: kept as JSON text, read as
 * a document when they are needed.  PAYLOAD_MALFORMED when they are not small.
 */
struct payload_members {
    struct buf text; /* the object up to, without, its closing brace */
    unsigned depth;  /* of the value being taken */
    bool comma;      /* before the next key or element */
};

void payload_members_init(struct payload_members *m);
void payload_members_fini(struct payload_members *m);

/* The key of a member that is to be taken; then its events, until *done. */
enum errc payload_members_key(struct payload_members *m, const struct payload_event *ev,
                              struct err *err);
enum errc payload_members_value(struct payload_members *m,
                                const struct payload_event *ev, bool *done,
                                struct err *err);

/* What was taken so far, as an object.  A key twice is PAYLOAD_MALFORMED. */
enum errc payload_members_parse(const struct payload_members *m, struct json_doc **out,
                                struct err *err);

/* Canonical (JSON_SPACED) text of the members before, or after, key, with a separator
   behind, or before, each. */
void payload_members_write_before(const struct json *object, const char *key,
                                  struct buf *out);
void payload_members_write_after(const struct json *object, const char *key,
                                 struct buf *out);

#endif
