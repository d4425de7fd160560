#ifndef SYNC_SNAPSHOT_PAYLOAD_STREAM_H
#define SYNC_SNAPSHOT_PAYLOAD_STREAM_H

#include "base/cleanup.h"
#include "sync/snapshot/payload.h"

/*
 * JSON text to events, in constant memory: a file in pieces, or pieces by hand.  Texts
 * of an event are UTF-8, not terminated, gone after the call.
 */
enum payload_event_type {
    PAYLOAD_NULL,
    PAYLOAD_BOOL,
    PAYLOAD_NUMBER, /* text as spelled */
    PAYLOAD_STRING, /* text decoded */
    PAYLOAD_KEY,
    PAYLOAD_MAP,
    PAYLOAD_MAP_END,
    PAYLOAD_ARRAY,
    PAYLOAD_ARRAY_END,
};

struct payload_event {
    enum payload_event_type type;
    bool boolean;
    const char *text;
    size_t len;
};

bool payload_event_is(const struct payload_event *ev, const char *text);

/* Anything but ERR_OK stops the parser, which returns it with the byte added. */
struct payload_sink {
    enum errc (*event)(void *arg, const struct payload_event *ev, struct err *err);
    void *arg;
};

struct payload_parser;

struct payload_parser *payload_parser_create(const struct payload_sink *sink);
void payload_parser_free(struct payload_parser *p);
DEFINE_CLEANUP(struct payload_parser, payload_parser_free)
enum errc payload_parser_feed(struct payload_parser *p, const char *text, size_t len,
                              struct err *err);
/* Bytes that somebody else read, for the places that errors name; and that place into
   an error of theirs. */
void payload_parser_pass(struct payload_parser *p, size_t len);
enum errc payload_parser_place(const struct payload_parser *p, struct err *err);
/* Text that is not in the file. */
enum errc payload_parser_insert(struct payload_parser *p, const char *text,
                                struct err *err);
enum errc payload_parser_finish(struct payload_parser *p, struct err *err);

struct payload_lane;

/* A whole regular file.  progress and lane may be NULL.  PAYLOAD_TOO_LARGE over
 * max_bytes. */
struct payload_source {
    const char *path;
    uint64_t max_bytes;
    struct payload_progress *progress;
    struct payload_lane *lane;
};
enum errc payload_stream(const struct payload_source *src,
                         const struct payload_sink *sink, uint64_t *bytes,
                         struct err *err);

#endif
